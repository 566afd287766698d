namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>WebSocket messages that are nothing but the payload.</summary>
internal sealed class MessageSubscriber : WebSocketSubscriber
{
    private PartialMessage _partial;

    public MessageSubscriber(int port, FanOutRecord record, bool reads)
        : base(port, record, reads) => Socket.Blocking = false;

    protected override void ReadPayload(ReadOnlySpan<byte> part, bool isEnd)
    {
        if (isEnd)
            Complete(_partial.Complete(part));
        else
            _partial.Append(part);
    }
}
