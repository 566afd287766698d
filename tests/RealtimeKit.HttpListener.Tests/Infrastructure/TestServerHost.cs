using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests;

/// <summary>A real HttpListener on a free port.</summary>
internal sealed class TestServerHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly LoggerFactory _logging;
    private Task _running = Task.CompletedTask;

    private TestServerHost(HttpListener listener, int port, HttpListenerRouterOptions? options)
    {
        Listener = listener;
        Port = port;
        _logging = new LoggerFactory([Logs], new LoggerFilterOptions { MinLevel = LogLevel.Debug });
        options ??= new HttpListenerRouterOptions();
        App = new TestRouter(
            new HttpListenerRouter(listener, new HttpListenerRouterOptions
            {
                LoggerFactory = _logging,
                MaxConcurrentRequests = options.MaxConcurrentRequests,
                DrainTimeout = options.DrainTimeout,
                MemoryBudget = options.MemoryBudget,
            }),
            StopAsync);
    }

    /// <summary>How samples/Echo serves on this host.</summary>
    public static string[] EchoFlags { get; } = ["--host", "httplistener"];

    /// <summary>Streams that notice at once that their client has gone: here only a write shows it.</summary>
    public static HttpListenerServerSentEventOptions WatchfulEvents { get; } = new() { HeartbeatInterval = TimeSpan.FromMilliseconds(500) };

    public Wire Wire { get; } = Wire.Pipes;

    public HttpListener Listener { get; }

    public TestRouter App { get; }

    public LogRecords Logs { get; } = new();

    public int Port { get; }

    /// <summary>What it serves topics of, and disposes.</summary>
    public TopicHub? Topics { get; set; }

    /// <summary>Completes when the router has stopped.</summary>
    public Task Running => _running;

    /// <summary>Streams that are refused by their cursor: <see langword="null"/> for not refused, 200 for no status of its own.</summary>
    public static HttpListenerServerSentEventOptions RefusingEvents(Func<string?, int?> refuse) => new()
    {
        Accept = async context =>
        {
            await Task.Yield();
            var status = refuse(context.Request.GetLastEventId());
            context.Response.StatusCode = status ?? 200;
            return status is null;
        },
    };

    /// <summary>Starts a server whose /ws runs a handler.</summary>
    public static Task<TestServerHost> StartAsync(Wire wire, Func<WebSocketConnection, Task> handler, Action<HttpListenerWebSocketOptions>? configure = null)
    {
        var options = new HttpListenerWebSocketOptions();
        configure?.Invoke(options);
        return StartAsync(wire, app => app.MapWebSocket("/ws", options, handler));
    }

    public static Task<TestServerHost> StartAsync(Wire wire, Action<TestRouter> map, HttpListenerRouterOptions? options = null)
    {
        wire.Should().Be(Wire.Pipes);
        var server = Listen(options);
        map(server.App);
        server._running = server.App.Router.RunAsync(server._stop.Token);
        return Task.FromResult(server);
    }

    public Uri HttpUri(string path = "/ws") => new($"http://127.0.0.1:{Port}{path}");

    public Uri Uri(string path = "/ws") => new($"ws://127.0.0.1:{Port}{path}");

    /// <summary>Connects .NET's own client.</summary>
    public async Task<ClientWebSocket> ConnectAsync(string path = "/ws", Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new ClientWebSocket();
        client.Options.KeepAliveInterval = TimeSpan.Zero;
        configure?.Invoke(client.Options);
        await client.ConnectAsync(Uri(path), Until.Cancelled);
        return client;
    }

    /// <summary>Connects a client that sends what it likes.</summary>
    public Task<RawWebSocket> ConnectRawAsync(string path = "/ws", params string[] headers) => RawWebSocket.ConnectAsync(Port, isTls: false, path, headers);

    public static HttpMessageInvoker NewInvoker() => new(new SocketsHttpHandler());

    /// <summary>Stops the router, as its application does.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        LoopbackListener.Close(Listener);
        if (Topics is not null)
            await Topics.DisposeAsync();
        _logging.Dispose();
        _stop.Dispose();
    }

    /// <summary>A listener whose router does not run.</summary>
    public static TestServerHost Listen(HttpListenerRouterOptions? options = null)
    {
        var (listener, port) = LoopbackListener.Start();
        return new TestServerHost(listener, port, options);
    }
}
