using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>An event stream over HTTP/1.1: takes the chunked coding off; every data line is a message.</summary>
internal sealed class EventStreamSubscriber : Subscriber
{
    private PartialMessage _partial;
    private EventStreamResponse _response = new();
    private bool _isOther;

    public EventStreamSubscriber(int port, FanOutRecord record, bool reads)
        : base(Connect(port, reads), record)
    {
        Socket.Send(Encoding.ASCII.GetBytes($"GET /sse?topic=all HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"));
        Socket.Blocking = false;
    }

    protected override void Read(ReadOnlySpan<byte> bytes)
    {
        while (_response.TryRead(ref bytes, out var part))
            ReadBody(part);
        if (_response.IsEnded)
            throw new BenchmarkException($"The server ended a stream after {Received} messages");
    }

    private void ReadBody(ReadOnlySpan<byte> body)
    {
        while (body.IndexOf((byte)'\n') is var end && end >= 0)
        {
            ReadLine(_partial.Complete(body[..end]));
            body = body[(end + 1)..];
        }
        if (!body.IsEmpty)
            _partial.Append(body);
    }

    private void ReadLine(ReadOnlySpan<byte> line)
    {
        var data = "data: "u8;
        var type = "event: "u8;
        if (line.IsEmpty)
        {
            _isOther = false;
        }
        else if (line.StartsWith(type))
        {
            // A topic is its events' type; our streams also begin with an event that tells their key.
            _isOther = line[type.Length..].SequenceEqual("stream"u8);
            if (!_isOther && !line[type.Length..].SequenceEqual("all"u8))
                throw new BenchmarkException($"An unexpected event after {Received} messages: {Encoding.UTF8.GetString(line)}");
        }
        else if (line.StartsWith(data))
        {
            if (!_isOther)
                Complete(line[data.Length..]);
        }
        else if (line[0] != ':' && !line.StartsWith("id: "u8) && !line.StartsWith("retry: "u8))
        {
            throw new BenchmarkException($"An unexpected line after {Received} messages: {Encoding.UTF8.GetString(line)}");
        }
    }
}
