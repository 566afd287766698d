using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// Delivers entries to a WebSocket as they are, each as one message. A gap cannot be told in this form: subscribe with
/// <see cref="TopicSubscribeOptions.EndAtGap"/>, and close with <see cref="TooSlow"/> when the subscription ends.
/// </summary>
public sealed class WebSocketTopicSubscriber : ITopicSubscriber
{
    /// <summary>The close code for a subscriber that would have to skip something; the reason is its cursor, where that fits. 4000–4999 are the application's (RFC 6455 §7.4.2).</summary>
    public const int TooSlow = 4290;

    /// <summary>Makes a subscriber.</summary>
    /// <param name="connection">The connection, which stays the caller's.</param>
    /// <param name="onEnded">Called when the subscription has ended; see <see cref="ITopicSubscriber.OnEnded"/>. Default: closes with
    /// <see cref="TooSlow"/> for <see cref="TopicSubscriptionEnd.TooSlow"/> and <see cref="TopicSubscriptionEnd.Gap"/>, with 1001 for
    /// <see cref="TopicSubscriptionEnd.Draining"/>, with 1011 for <see cref="TopicSubscriptionEnd.EngineFailed"/>, and aborts for
    /// <see cref="TopicSubscriptionEnd.Failed"/>.</param>
    public WebSocketTopicSubscriber(WebSocketConnection connection, Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? onEnded = null) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask WaitUntilReadyAsync() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => throw new NotImplementedException();
}
