using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Security.Tests;

/// <summary>A real HttpListener on a free port, with an echo at /ws.</summary>
internal sealed class ListenerHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpListener _listener;
    private readonly LoggerFactory _logging;
    private readonly Task _running;

    private ListenerHost(HttpListener listener, int port, Action<HttpListenerRouter>? map)
    {
        _listener = listener;
        Port = port;
        _logging = new LoggerFactory([Logs], new LoggerFilterOptions { MinLevel = LogLevel.Debug });
        var router = new HttpListenerRouter(listener, new HttpListenerRouterOptions { LoggerFactory = _logging }).MapWebSocket("/echo", Handlers.EchoAsync);
        map?.Invoke(router);
        _running = router.RunAsync(_stop.Token);
    }

    public LogRecords Logs { get; } = new();

    public int Port { get; }

    public static ListenerHost Start(Action<HttpListenerRouter>? map = null)
    {
        var (listener, port) = LoopbackListener.Start();
        return new ListenerHost(listener, port, map);
    }

    /// <summary>Somebody else on this host is served.</summary>
    public async Task IsServedAsync()
    {
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/echo"), Until.Cancelled);
        await client.SendTextAsync("bystander");
        (await client.ReceiveTextAsync()).Should().Be("bystander", "an attack is nobody else's business");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        LoopbackListener.Close(_listener);
        _logging.Dispose();
        _stop.Dispose();
    }
}
