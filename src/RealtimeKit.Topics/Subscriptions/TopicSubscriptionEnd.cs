namespace RealtimeKit.Topics;

/// <summary>Why a subscription has ended.</summary>
public enum TopicSubscriptionEnd
{
    /// <summary>Whoever made it disposed it.</summary>
    Disposed,

    /// <summary>Its subscriber fell too far behind, see <see cref="SlowConsumerPolicy.Disconnect"/>.</summary>
    TooSlow,

    /// <summary>Its subscriber threw, as when the connection has gone; or the engine did, other than with a <see cref="TopicEngineException"/>.</summary>
    Failed,

    /// <summary>Its subscriber cannot be told of a gap, see <see cref="TopicSubscribeOptions.EndAtGap"/>.</summary>
    Gap,

    /// <summary>The host goes away.</summary>
    Draining,
}
