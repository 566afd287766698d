using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One stream of the load: takes the chunked coding off, skips the opening, and compares every byte of every event.</summary>
internal sealed class EventConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _event;
    private EventStreamResponse _response = new();
    private bool _hasEvents;
    private int _opening;
    private byte _lastOfOpening;
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
    public bool IsOpen => _response.HasHead;

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
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, length);
        while (_response.TryRead(ref bytes, out var part))
            ReadBody(part);
        if (_response.IsEnded)
            throw new BenchmarkException($"The server ended a stream after {Events} events");
        return (int)(Events - before);
    }

    public void Dispose()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    private void ReadBody(ReadOnlySpan<byte> bytes)
    {
        if (!_hasEvents)
        {
            // An opening has comments and a retry; the first "d" at the start of a line is an event's.
            while (!bytes.IsEmpty && !(bytes[0] == 'd' && (_opening == 0 || _lastOfOpening == '\n')))
            {
                _lastOfOpening = bytes[0];
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
