using System.Globalization;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The response of an event stream over HTTP/1.1: checks its head, and takes the chunked coding off.</summary>
internal struct EventStreamResponse()
{
    private StringBuilder? _head = new();
    private int _chunkLeft;
    private int _chunkSize = -1;

    /// <summary>Whether the headers have arrived.</summary>
    public readonly bool HasHead => _head is null;

    /// <summary>Whether the last chunk has arrived.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Takes the next part of the body off what has arrived.</summary>
    /// <returns>False: all of it is taken, or the response has ended.</returns>
    public bool TryRead(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> part)
    {
        if (_head is not null)
            bytes = ReadHead(_head, bytes);
        part = default;
        while (!bytes.IsEmpty && !IsEnded)
        {
            if (_chunkLeft > 0)
            {
                part = bytes[..Math.Min(_chunkLeft, bytes.Length)];
                _chunkLeft -= part.Length;
                bytes = bytes[part.Length..];
                return true;
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

            IsEnded = _chunkSize == 0;
            _chunkLeft = Math.Max(_chunkSize, 0);
            _chunkSize = -1;
        }

        return false;
    }

    private ReadOnlySpan<byte> ReadHead(StringBuilder head, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            head.Append((char)bytes[i]);
            if (bytes[i] != '\n' || head.Length < 4 || head[^3] != '\n')
                continue;
            var text = head.ToString();
            if (!text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)
                || !text.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.OrdinalIgnoreCase)
                || !text.Contains("\r\nContent-Type: text/event-stream", StringComparison.OrdinalIgnoreCase))
                throw new BenchmarkException($"No event stream: {text}");
            _head = null;
            return bytes[(i + 1)..];
        }

        return [];
    }
}
