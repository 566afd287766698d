using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>A real Kestrel on a free port.</summary>
internal sealed class TestServerHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServerHost(WebApplication app, Wire wire, LogRecords logs)
    {
        _app = app;
        Wire = wire;
        Logs = logs;
    }

    /// <summary>How samples/Echo serves on this host.</summary>
    public static string[] EchoFlags { get; } = [];

    /// <summary>Streams that notice at once that their client has gone: the defaults, on Kestrel.</summary>
    public static ServerSentEventEndpointOptions WatchfulEvents { get; } = new();

    public Wire Wire { get; }

    public LogRecords Logs { get; }

    public WebApplication App => _app;

    public int Port => new Uri(_app.Urls.Single()).Port;

    public Uri HttpUri(string path = "/ws") => new($"{(Wire.IsTls() ? "https" : "http")}://127.0.0.1:{Port}{path}");

    public Uri Uri(string path = "/ws") => new($"{(Wire.IsTls() ? "wss" : "ws")}://127.0.0.1:{Port}{path}");

    /// <summary>Streams that are refused by their cursor: <see langword="null"/> for not refused, 200 for no status of its own.</summary>
    public static ServerSentEventEndpointOptions RefusingEvents(Func<string?, int?> refuse) => new()
    {
        Accept = async (request, http) =>
        {
            await Task.Yield();
            var status = refuse(request.LastEventId);
            http.Response.StatusCode = status ?? 200;
            return status is null;
        },
    };

    /// <summary>Starts a server whose /ws runs a handler.</summary>
    public static Task<TestServerHost> StartAsync(Wire wire, Func<WebSocketConnection, Task> handler, Action<WebSocketEndpointOptions>? configure = null)
    {
        var options = new WebSocketEndpointOptions { ForceStream = wire.IsStream() };
        configure?.Invoke(options);
        return StartAsync(wire, app => app.MapWebSocket("/ws", options, handler));
    }

    public static async Task<TestServerHost> StartAsync(Wire wire, Action<WebApplication> map, Action<WebApplicationBuilder>? build = null, Action<KestrelServerOptions>? kestrel = null)
    {
        var logs = new LogRecords();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.WebHost.ConfigureKestrel(server =>
        {
            kestrel?.Invoke(server);   // its defaults are for what listens after it
            server.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = wire.IsHttp2() ? HttpProtocols.Http2 : HttpProtocols.Http1;
                if (wire.IsTls())
                    listen.UseHttps(TestCertificate.Instance);
            });
        });
        build?.Invoke(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync(Until.Cancelled);
        return new TestServerHost(app, wire, logs);
    }

    /// <summary>Connects .NET's own client.</summary>
    public async Task<ClientWebSocket> ConnectAsync(string path = "/ws", Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new ClientWebSocket();
        client.Options.KeepAliveInterval = TimeSpan.Zero;
        client.Options.HttpVersion = Wire.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        configure?.Invoke(client.Options);
        await client.ConnectAsync(Uri(path), NewInvoker(), Until.Cancelled);
        return client;
    }

    /// <summary>Connects a client that sends what it likes.</summary>
    public Task<RawWebSocket> ConnectRawAsync(string path = "/ws", params string[] headers) => RawWebSocket.ConnectAsync(Port, Wire.IsTls(), path, headers);

    public static HttpMessageInvoker NewInvoker() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsOurs },
    });

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
