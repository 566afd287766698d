using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Soak;

/// <summary>The way to the server, whose open sockets faults can be done to.</summary>
internal sealed class Wire(int port, Tally tally)
{
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private int _next;

    /// <summary>Rises with each drain: what ends across one has ended for that.</summary>
    public volatile int Generation;

    /// <summary>Whether the server is there: nobody connects meanwhile.</summary>
    public volatile bool IsAway;

    public int Port => port;

    public Uri Uri(string path) => new($"http://127.0.0.{1 + (uint)Interlocked.Increment(ref _next) % SoakServer.Addresses}:{port}{path}");

    public async ValueTask<Socket> ConnectAsync(CancellationToken cancel, bool isKept = true, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer > 0)
            socket.ReceiveBufferSize = receiveBuffer;
        try
        {
            await socket.ConnectAsync(new IPAddress([127, 0, 0, (byte)(1 + (uint)Interlocked.Increment(ref _next) % SoakServer.Addresses)]), port, cancel);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        tally.Add(Kind.Opened);
        if (isKept)
            _sockets[socket] = true;
        return socket;
    }

    public void Forget(Socket socket) => _sockets.TryRemove(socket, out _);

    /// <summary>Sends a handshake and reads the answer's head, not a byte more.</summary>
    public static async Task HandshakeAsync(Socket socket, string path, string? headers, CancellationToken cancel)
    {
        var request = $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {WebSocketKey.Create()}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), SocketFlags.None, cancel);
        var buffer = new byte[1024];
        while (true)
        {
            var seen = await socket.ReceiveAsync(buffer, SocketFlags.Peek, cancel);
            if (seen == 0)
                throw new IOException("The server ended the handshake.");
            var end = buffer.AsSpan(0, seen).IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                await Task.Delay(1, cancel);
                continue;
            }

            await socket.ReceiveAsync(buffer.AsMemory(0, end + 4), SocketFlags.None, cancel);
            if (!buffer.AsSpan().StartsWith("HTTP/1.1 101"u8))
                throw new IOException("Refused: " + Encoding.ASCII.GetString(buffer, 0, Math.Min(end, 40)));
            return;
        }
    }

    /// <summary>Resets or half-closes some open connection.</summary>
    public void Harm(Random random)
    {
        var all = _sockets.Keys;
        if (all.Count == 0)
            return;
        var socket = all.ElementAt(random.Next(all.Count));
        try
        {
            _sockets[socket] = false;
            if (random.Next(4) == 0)
            {
                socket.Shutdown(SocketShutdown.Send);
                tally.Add(Kind.HalfClosed);
            }
            else
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Close();
                tally.Add(Kind.Reset);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has ended before.
        }
    }

    /// <summary>Whether something was done to a connection, or to the server, since it was opened.</summary>
    public bool IsExcused(Socket socket, int generation) => IsAway || Generation != generation || !_sockets.GetValueOrDefault(socket);

    public int Count => _sockets.Count;

    /// <summary>Waits while the server is away.</summary>
    public async Task WhenThereAsync(CancellationToken cancel)
    {
        while (IsAway)
            await Task.Delay(100, cancel);
    }
}
