using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>SignalR's JSON protocol: records that end with 0x1E, whatever the frames; pings are ignored.</summary>
internal sealed class SignalRSubscriber : WebSocketSubscriber
{
    private const byte RecordSeparator = 0x1E;

    private PartialMessage _partial;

    public SignalRSubscriber(int port, FanOutRecord record, bool reads)
        : base(port, record, reads)
    {
        // A masking key of zeros leaves the payload as it is.
        var handshake = "{\"protocol\":\"json\",\"version\":1}\u001e"u8;
        Socket.Send([0x81, (byte)(0x80 | handshake.Length), 0, 0, 0, 0, .. handshake]);
        Socket.Blocking = false;
    }

    protected override void ReadPayload(ReadOnlySpan<byte> part, bool isEnd)
    {
        while (part.IndexOf(RecordSeparator) is var end && end >= 0)
        {
            ReadRecord(_partial.Complete(part[..end]));
            part = part[(end + 1)..];
        }
        if (!part.IsEmpty)
            _partial.Append(part);
    }

    private void ReadRecord(ReadOnlySpan<byte> record)
    {
        var start = "{\"type\":1,\"target\":\"m\",\"arguments\":[\""u8;
        var end = "\"]}"u8;
        if (record.StartsWith(start) && record.EndsWith(end))
            Complete(record[start.Length..^end.Length]);
        else if (!record.SequenceEqual("{}"u8) && !record.SequenceEqual("{\"type\":6}"u8))
            throw new BenchmarkException($"An unexpected record after {Received} messages: {Encoding.UTF8.GetString(record)}");
    }
}
