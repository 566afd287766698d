using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>Delivers entries as the messages that they are for everybody.</summary>
internal sealed class WebPubSubSubscriber(WebPubSubClient client, WebSocketConnection connection) : ITopicSubscriber
{
    private readonly CodecWebSocketConnection _connection = (CodecWebSocketConnection)connection;   // there is no other
    private readonly FlushWaiter _flush = new();

    public ValueTask WaitUntilReadyAsync() => _connection.WaitUntilFlushedAsync(_flush);

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) =>
        _connection.SendAllAsync(new Messages(items), _flush);

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => client.OnSubscriptionEnded(reason);

    private readonly ref struct Messages(ReadOnlySpan<TopicItem> items) : IPreparedMessages
    {
        private readonly ReadOnlySpan<TopicItem> _items = items;

        public int Count => _items.Length;

        public PreparedWebSocketMessage? this[int index] =>
            _items[index].Kind == TopicItemKind.Entry ? _items[index].Entry.WebPubSubMessage : null;
    }
}
