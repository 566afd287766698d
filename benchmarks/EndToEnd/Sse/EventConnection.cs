using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One stream of the load: takes the chunked coding off, skips the opening, and compares every byte of every event.</summary>
internal sealed class EventConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _event;
    private readonly StringBuilder _head = new();
    private bool _hasHead;
    private bool _hasEvents;
    private int _opening;
    private int _chunkLeft;
    private int _chunkSize = -1;
    private long _compared;

    public EventConnection(int port, string path, byte[] wire)
    {
        _event = wire;
        _socket = LoadConnection.Connect(port);
        _socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"));
        _socket.Blocking = false;
    }

    public nint Handle => _socket.Handle;

    /// <summary>Whether the response's headers have arrived: what fires <c>open</c> in a browser.</summary>
    public bool IsOpen => _hasHead;

    /// <summary>Whether a part of the body has arrived.</summary>
    public bool HasBody => _opening > 0 || _hasEvents;

    public long Events => _compared / _event.Length;

    /// <summary>Receives once.</summary>
    /// <returns>The number of events that are complete now and were not before.</returns>
    public int Receive(byte[] buffer)
    {
        var length = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return 0;
        if (error != SocketError.Success || length == 0)
            throw new BenchmarkException($"The server closed a stream after {Events} events: {error}");
        var before = Events;
        var bytes = buffer.AsSpan(0, length);
        if (!_hasHead)
            bytes = ReadHead(bytes);
        if (!bytes.IsEmpty)
            ReadChunks(bytes);
        return (int)(Events - before);
    }

    public void Dispose()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    private Span<byte> ReadHead(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            _head.Append((char)bytes[i]);
            if (bytes[i] != '\n' || _head.Length < 4 || _head[^3] != '\n')
                continue;
            var head = _head.ToString();
            if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)
                || !head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.OrdinalIgnoreCase)
                || !head.Contains("\r\nContent-Type: text/event-stream", StringComparison.OrdinalIgnoreCase))
                throw new BenchmarkException($"No event stream: {head}");
            _hasHead = true;
            _head.Clear();
            _head.Capacity = 0;
            return bytes[(i + 1)..];
        }
        return [];
    }

    private void ReadChunks(Span<byte> bytes)
    {
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
                throw new BenchmarkException($"The server ended a stream after {Events} events");
            _chunkLeft = Math.Max(_chunkSize, 0);
            _chunkSize = -1;
        }
    }

    private void ReadBody(Span<byte> bytes)
    {
        if (!_hasEvents)
        {
            // An opening has comments and a retry; the first "d" at the start of a line is an event's.
            while (!bytes.IsEmpty && !(bytes[0] == 'd' && (_opening == 0 || _head is [.., '\n'])))
            {
                _head.Clear().Append((char)bytes[0]);
                _opening++;
                bytes = bytes[1..];
            }
            _hasEvents = !bytes.IsEmpty;
        }

        while (!bytes.IsEmpty)
        {
            var expected = _event.AsSpan((int)(_compared % _event.Length));
            var part = bytes[..Math.Min(expected.Length, bytes.Length)];
            if (!part.SequenceEqual(expected[..part.Length]))
                throw new BenchmarkException($"Event {Events + 1} differs: {Encoding.UTF8.GetString(part)}");
            _compared += part.Length;
            bytes = bytes[part.Length..];
        }
    }
}
