using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// One connection of the load: <c>depth</c> messages under way at all times. It counts and compares bytes and never parses: every byte
/// that comes back is known beforehand.
/// </summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly EchoFrames _frames;
    private readonly long[] _sentAt;
    private long _queuedFrames;
    private long _sentBytes;
    private long _receivedBytes;

    private LoadConnection(Socket socket, EchoFrames frames, int depth)
    {
        _socket = socket;
        _frames = frames;
        _sentAt = new long[depth];
    }

    public nint Handle => _socket.Handle;

    /// <summary>The messages echoed so far.</summary>
    public long Completed => _receivedBytes / _frames.EchoedLength;

    /// <summary>Whether frames wait because the socket's send buffer is full.</summary>
    public bool IsBlocked => _sentBytes < _queuedFrames * _frames.SentLength;

    public bool WaitsForWritable { get; set; }

    /// <param name="port">The server's port.</param>
    /// <param name="receiveBuffer">The kernel's receive buffer in bytes, set before the window is announced; null leaves it to the kernel.</param>
    public static Socket Connect(int port, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 10_000,
            SendTimeout = 10_000,
        };
        try
        {
            if (receiveBuffer is { } size)
                socket.ReceiveBufferSize = size;
            socket.Connect(IPAddress.Loopback, port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static LoadConnection Open(int port, EchoFrames frames, int depth)
    {
        var socket = Handshake(port);
        socket.Blocking = false;
        return new LoadConnection(socket, frames, depth);
    }

    /// <summary>Connects and runs the opening handshake.</summary>
    /// <param name="port">The server's port.</param>
    /// <param name="extensions">What to offer, which the server must answer; nothing where <see langword="null"/>.</param>
    public static Socket Handshake(int port, string? extensions = null)
    {
        var socket = Connect(port);
        try
        {
            Upgrade(socket, port, extensions: extensions);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Speaks the opening handshake.</summary>
    public static void Upgrade(Socket socket, int port, string path = "/ws", string? extensions = null)
    {
        var key = WebSocketKey.Create();
        var offer = extensions is null ? "" : $"Sec-WebSocket-Extensions: {extensions}\r\n";
        var response = Exchange(socket, $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            + $"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{offer}Sec-WebSocket-Key: {key}\r\n\r\n");
        if (!response.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal)
            || !response.Contains($"\r\nSec-WebSocket-Accept: {WebSocketKey.ComputeAccept(key)}\r\n", StringComparison.OrdinalIgnoreCase)
            || (extensions is not null && !response.Contains("\r\nSec-WebSocket-Extensions: permessage-deflate", StringComparison.OrdinalIgnoreCase)))
            throw new BenchmarkException($"The server refused the handshake: {response}");
    }

    /// <summary>A reset leaves no TIME_WAIT behind, of which ten thousand would use up the ports of the next round.</summary>
    public static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    /// <summary>Sends one ordinary request, as the idle keep-alive connection that the others are compared with.</summary>
    public static void Get(Socket socket, string path)
    {
        socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        ReadNoContent(socket, path);
    }

    /// <summary>Reads the answer to a request that has been sent.</summary>
    public static void ReadNoContent(Socket socket, string path)
    {
        var response = ReadHead(socket);
        if (!response.StartsWith("HTTP/1.1 204 ", StringComparison.Ordinal))
            throw new BenchmarkException($"The server refused {path}: {response}");
    }

    /// <summary>Sends further messages.</summary>
    public void Queue(int count, long now)
    {
        for (var i = 0; i < count; i++)
            _sentAt[_queuedFrames++ % _sentAt.Length] = now;
        Send();
    }

    /// <summary>Sends what waits, as far as the socket takes it.</summary>
    public void Send()
    {
        while (IsBlocked)
        {
            var pending = _queuedFrames * _frames.SentLength - _sentBytes;
            var run = _frames.Sent(_sentBytes);
            var sent = _socket.Send(run[..(int)Math.Min(run.Length, pending)], SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                return;
            if (error != SocketError.Success)
                throw new BenchmarkException($"Sending failed: {error}");
            _sentBytes += sent;
        }
    }

    /// <summary>Receives once, checks every byte, and sends one message for each that came back.</summary>
    /// <returns>The number of messages that came back.</returns>
    public int Receive(byte[] buffer, LatencyHistogram? latencies, bool sendMore)
    {
        var length = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return 0;
        if (error != SocketError.Success || length == 0)
            throw new BenchmarkException($"The server closed a connection after {Completed} messages: {error}");
        if (!_frames.IsEcho(_receivedBytes, buffer.AsSpan(0, length)))
            throw new BenchmarkException($"The echo differs within {length} bytes after {_receivedBytes} (message {Completed + 1})");

        var before = Completed;
        _receivedBytes += length;
        var after = Completed;
        if (after > _queuedFrames)
            throw new BenchmarkException("The server sent more than it was sent");
        if (after == before)
            return 0;

        var now = Clock.Nanoseconds;
        if (latencies is not null)
            for (var i = before; i < after; i++)
                latencies.Add(_sentAt[i % _sentAt.Length], now);
        if (sendMore)
            Queue((int)(after - before), now);
        return (int)(after - before);
    }

    public void Dispose() => Reset(_socket);

    // Neither answer has a body, and the server says nothing more before it is spoken to: what is read here is the head alone.
    private static string Exchange(Socket socket, string request)
    {
        socket.Send(Encoding.ASCII.GetBytes(request));
        return ReadHead(socket);
    }

    private static string ReadHead(Socket socket)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            length += read;
            var text = Encoding.ASCII.GetString(buffer, 0, length);
            if (text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
                return text;
            if (read == 0 || length == buffer.Length)
                throw new BenchmarkException($"The server did not answer: {text}");
        }
    }
}
