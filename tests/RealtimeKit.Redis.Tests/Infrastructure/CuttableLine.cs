using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Redis.Tests;

/// <summary>The network between one node and Redis: bytes are passed on until it is cut, and again when it is mended.</summary>
public sealed class CuttableLine : IAsyncDisposable
{
    private readonly int _target;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Task _accepting;
    private volatile bool _isCut;

    public CuttableLine(RedisServer server)
    {
        _target = server.Port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Cut()
    {
        _isCut = true;
        foreach (var socket in _sockets.Keys)
            socket.Dispose();
    }

    public void Mend() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        Cut();
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket node;
            try
            {
                node = await _listener.AcceptSocketAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }

            var redis = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _sockets[node] = _sockets[redis] = true;
            if (_isCut)
                node.Dispose();
            else
                _ = PassBothAsync(node, redis);
        }
    }

    private async Task PassBothAsync(Socket node, Socket redis)
    {
        try
        {
            await redis.ConnectAsync(IPAddress.Loopback, _target);
            await Task.WhenAny(PassAsync(node, redis), PassAsync(redis, node));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
        }
        finally
        {
            node.Dispose();
            redis.Dispose();
        }
    }

    private static async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReceiveAsync(buffer) is > 0 and var count)
            await to.SendAsync(buffer.AsMemory(0, count));
    }
}
