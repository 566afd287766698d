using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Stands between a client and a server and counts what passes: what a peer says about compression, the bytes must confirm.</summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private long _toServer;
    private long _toClient;
    private int _accepted;
    private CancellationTokenSource _drop = new();

    public CountingRelay(int target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>How many bytes went to the server, over all connections.</summary>
    public long ToServer => Volatile.Read(ref _toServer);

    /// <summary>How many bytes came from the server, over all connections.</summary>
    public long ToClient => Volatile.Read(ref _toClient);

    /// <summary>How many connections were made; <see cref="Drop"/> cuts whatever was counted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Whether nothing passes: connections are cut as soon as they are made.</summary>
    public bool IsDown { get; set; }

    /// <summary>Cuts all connections.</summary>
    public void Drop() => Interlocked.Exchange(ref _drop, new CancellationTokenSource()).Cancel();

    public async ValueTask DisposeAsync()
    {
        Drop();
        await _stop.CancelAsync();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync(_stop.Token);
                if (IsDown)
                {
                    client.Dispose();
                    continue;
                }

                _ = ServeAsync(client);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (client)
        using (_drop.Token.Register(() =>
        {
            client.Dispose();
            server.Dispose();
        }))
        {
            Interlocked.Increment(ref _accepted);
            await server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), _stop.Token);
            await Task.WhenAll(CopyAsync(client, server, count => Interlocked.Add(ref _toServer, count)), CopyAsync(server, client, count => Interlocked.Add(ref _toClient, count)));
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Action<int> count)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var received)
            {
                count(received);
                await to.SendAsync(buffer.AsMemory(0, received), _stop.Token);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
