using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>Delivers entries with the connection's own numbers before what they are for everybody.</summary>
internal sealed class WebPubSubReliableSubscriber(WebPubSubClient client, WebPubSubSession session, WebSocketConnection connection) : ITopicSubscriber
{
    private readonly CodecWebSocketConnection _connection = (CodecWebSocketConnection)connection;   // there is no other
    private readonly WebSocketBatch _batch = connection.CreateBatch();
    private readonly FlushWaiter _flush = new();

    public ValueTask WaitUntilReadyAsync()
    {
        var room = session.WaitForRoomAsync(client);
        return room.IsCompletedSuccessfully ? _connection.WaitUntilFlushedAsync(_flush) : WaitAsync(room);
    }

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
    {
        session.Number(client, items, _batch);
        return _connection.SendBatchAsync(_batch, _flush);
    }

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => client.OnSubscriptionEnded(reason);

    private async ValueTask WaitAsync(Task room)
    {
        await room.ConfigureAwait(false);
        await _connection.WaitUntilFlushedAsync(_flush).ConfigureAwait(false);
    }
}
