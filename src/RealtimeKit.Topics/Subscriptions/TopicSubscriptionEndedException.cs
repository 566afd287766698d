namespace RealtimeKit.Topics;

/// <summary>A subscription has ended without being asked to.</summary>
public sealed class TopicSubscriptionEndedException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="cursor">Where it stopped.</param>
    /// <param name="innerException">What was thrown, where something was.</param>
    public TopicSubscriptionEndedException(TopicSubscriptionEnd reason, TopicCursor cursor, Exception? innerException = null)
        : base($"The subscription has ended: {reason}.", innerException)
    {
        Reason = reason;
        Cursor = cursor;
    }

    /// <summary>Why.</summary>
    public TopicSubscriptionEnd Reason { get; }

    /// <summary>Where it stopped.</summary>
    public TopicCursor Cursor { get; }
}
