namespace RealtimeKit.Topics;

/// <summary>
/// Where a subscription delivers to: a WebSocket, an event stream, or anything else that takes entries in batches. Members are called one
/// after the other, never at the same time, on threads of the pool or of whoever completed the last delivery.
/// </summary>
public interface ITopicSubscriber
{
    /// <summary>
    /// Completes when there is nothing unflushed: only then is the next batch read, so that it is as fresh as it can be. Default: at once.
    /// </summary>
    ValueTask WaitUntilReadyAsync() => default;

    /// <summary>
    /// Delivers a batch, in order and with one flush. The returned task completes when the bytes are flushed: that is the back-pressure, as
    /// the next batch waits for it. It must also complete, with or without an exception, when the connection has gone; an exception ends
    /// the subscription. A subscriber that has no use for a kind of item leaves it out.
    /// </summary>
    /// <param name="subscription">The subscription, whose <see cref="TopicSubscription.GetCursor"/> may be called here for each item in turn.</param>
    /// <param name="items">The batch, never empty. Valid during the call only, until it returns: what is kept must be copied, entries may be held.</param>
    ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items);

    /// <summary>The subscription has ended; nothing is delivered any more. Not called when it was disposed.</summary>
    /// <param name="subscription">The subscription; its <see cref="TopicSubscription.Cursor"/> says where it stopped.</param>
    /// <param name="reason">Why.</param>
    /// <param name="exception">What was thrown, where something was.</param>
    void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception);
}
