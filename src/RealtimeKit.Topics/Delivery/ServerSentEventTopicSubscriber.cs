using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Topics;

/// <summary>
/// Delivers entries to an event stream. The type of an event is the topic, unless the publisher named one; its <c>id</c> is the cursor of
/// all topics of the stream. A gap is an event of type <c>gap</c> with <c>{"topic":…,"from":…,"to":…}</c>; a topic that was added or removed
/// moves the client's last event id without an event.
/// </summary>
public sealed class ServerSentEventTopicSubscriber : ITopicSubscriber
{
    /// <summary>Makes a subscriber.</summary>
    /// <param name="events">The stream, which stays the caller's.</param>
    /// <param name="onEnded">Called when the subscription has ended; see <see cref="ITopicSubscriber.OnEnded"/>. Default: closes the writer.</param>
    public ServerSentEventTopicSubscriber(ServerSentEventWriter events, Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? onEnded = null) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => throw new NotImplementedException();
}
