using System.Globalization;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>An event stream over HTTP/1.1: takes the chunked coding off; every data line is a message.</summary>
internal sealed class EventStreamSubscriber : Subscriber
{
    private PartialMessage _partial;
    private StringBuilder? _head = new();
    private int _chunkLeft;
    private int _chunkSize = -1;
    private bool _isOther;

    public EventStreamSubscriber(int port, FanOutRecord record, bool reads)
        : base(Connect(port, reads), record)
    {
        Socket.Send(Encoding.ASCII.GetBytes($"GET /sse?topic=all HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"));
        Socket.Blocking = false;
    }

    protected override void Read(ReadOnlySpan<byte> bytes)
    {
        if (_head is not null)
            bytes = ReadHead(bytes);
        while (!bytes.IsEmpty)
        {
            if (_chunkLeft > 0)
            {
                var part = bytes[..Math.Min(_chunkLeft, bytes.Length)];
                ReadBody(part);
                _chunkLeft -= part.Length;
                bytes = bytes[part.Length..];
                continue;
            }

            // The CRLF behind a chunk, then the next one's size in hexadecimal.
            var next = bytes[0];
            bytes = bytes[1..];
            if (next == '\r')
                continue;
            if (next != '\n')
            {
                _chunkSize = (Math.Max(_chunkSize, 0) * 16) + int.Parse([(char)next], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                continue;
            }
            if (_chunkSize == 0)
                throw new BenchmarkException($"The server ended a stream after {Received} messages");
            _chunkLeft = Math.Max(_chunkSize, 0);
            _chunkSize = -1;
        }
    }

    private ReadOnlySpan<byte> ReadHead(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            _head!.Append((char)bytes[i]);
            if (bytes[i] != '\n' || _head.Length < 4 || _head[^3] != '\n')
                continue;
            var head = _head.ToString();
            if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)
                || !head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.OrdinalIgnoreCase)
                || !head.Contains("\r\nContent-Type: text/event-stream", StringComparison.OrdinalIgnoreCase))
                throw new BenchmarkException($"No event stream: {head}");
            _head = null;
            return bytes[(i + 1)..];
        }
        return [];
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
