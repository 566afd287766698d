using System.Net.Sockets;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests.WebSockets;

/// <summary>
/// dotnet/runtime#58614 and #101022: the framework keeps the TCP connection of a WebSocket that was aborted, before .NET 10 also of one that
/// was disposed, and with it all that belongs to the request.
/// </summary>
public class LeakTests
{
    // Objects that the last connections' threads and caches still hold.
    private const int Slack = 20;

    [Theory(Timeout = Until.Bound)]
    [InlineData("clean close by the client")]
    [InlineData("clean close by the server")]
    [InlineData("abort by the server")]
    [InlineData("abort by the server, handler goes on")]
    [InlineData("handler fails")]
    [InlineData("client ends TCP")]
    [InlineData("client resets")]
    [InlineData("client vanishes")]
    [InlineData("protocol violation")]
    [InlineData("never accepted")]
    public async Task Connections_EndedInThisWay_LeaveNothingBehind(string way)
    {
        var each = way == "clean close by the client" ? 200 : 100;   // over a thousand in all
        var contexts = new LiveObjects();
        var goOn = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => Map(app.Router, contexts, way, goOn.Task));
        for (var batch = 0; batch < each / 20; batch++)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => OpenAndEndAsync(server, way)));

        await Until.TrueAsync(() => contexts.Added == each);   // a client may be through before its handler runs
        await NothingIsLeftAsync(server, contexts, goOn);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("handler returns")]
    [InlineData("handler fails")]
    [InlineData("client ends TCP")]
    [InlineData("client resets")]
    public async Task EventStreams_EndedInThisWay_LeaveNothingBehind(string way)
    {
        var contexts = new LiveObjects();
        var options = new HttpListenerServerSentEventOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(500) };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.Router.MapServerSentEvents("/sse", options, async (events, context, cancel) =>
        {
            contexts.Add(context);
            await events.WriteAsync("hello", cancellationToken: cancel);
            if (way == "handler fails")
                throw new FormatException("broken");
            if (way != "handler returns")
                await Task.Delay(Timeout.Infinite, cancel);
        }));
        for (var batch = 0; batch < 5; batch++)
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
            {
                await using var client = await RawRequest.SendAsync(server.Port, "/sse");
                await client.ReadUntilAsync("data: hello\n\n");
                if (way == "client resets")
                    client.Reset();
                else if (way == "handler returns")
                    await client.ReadUntilAsync("0\r\n\r\n");
                else if (way == "handler fails")
                    await client.Invoking(c => c.ReadUntilAsync("never")).Should().ThrowAsync<Exception>("TCP ends, in order or with a reset");
            }));
        }

        contexts.Added.Should().Be(100);
        await NothingIsLeftAsync(server, contexts);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task AcceptedByHand_ConnectionIsDisposed_LeavesNothingBehind()
    {
        var contexts = new LiveObjects();
        await using var server = TestServerHost.Listen();
        var serving = ServeAsync();
        for (var batch = 0; batch < 5; batch++)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(i => OpenAndEndAsync(server, i % 2 == 0 ? "clean close by the client" : "client resets")));
        await serving;

        contexts.Added.Should().Be(100);
        await NothingIsLeftAsync(server, contexts);

        async Task ServeAsync()
        {
            var handlers = new List<Task>();
            while (handlers.Count < 100)
                handlers.Add(EchoAsync(await server.Listener.GetContextAsync()));
            await Task.WhenAll(handlers);
        }

        async Task EchoAsync(HttpListenerContext context)
        {
            contexts.Add(context);
            await using var connection = await context.AcceptWebSocketConnectionAsync();
            await Handlers.EchoAsync(connection!);
        }
    }

    // First the connections, while contexts and handlers last: a finalizer that closes a socket some day is no end of a connection.
    private static async Task NothingIsLeftAsync(TestServerHost server, LiveObjects contexts, TaskCompletionSource? goOn = null)
    {
        await Until.TrueAsync(() => TcpConnections.OpenAt(server.Port) == 0);
        goOn?.SetResult();
        contexts.Release();
        await Until.TrueAsync(() => contexts.Alive <= Slack);
    }

    private static void Map(HttpListenerRouter router, LiveObjects contexts, string way, Task goOn)
    {
        var options = new HttpListenerWebSocketOptions();
        if (way == "client vanishes")
            options.Connection.CloseTimeout = options.Connection.WriteTimeout = TimeSpan.FromMilliseconds(500);
        if (way == "never accepted")
            options.Origins = HttpListenerOriginPolicy.Only("https://nobody.example").RequireOrigin();
        if (way == "never accepted")
            router.Map("GET", "/ws", (context, _) => Refuse(context));
        else
            router.MapWebSocket("/ws", options, ServeAsync);

        async Task ServeAsync(WebSocketConnection connection, HttpListenerContext context)
        {
            contexts.Add(context);
            switch (way)
            {
                case "clean close by the server":
                    await connection.CloseAsync(WebSocketCloseStatus.NormalClosure);
                    break;
                case "abort by the server":
                    await connection.ReceiveAsync();
                    connection.Abort();
                    break;
                case "abort by the server, handler goes on":
                    await connection.ReceiveAsync();
                    connection.Abort();
                    await goOn;
                    break;
                case "handler fails":
                    throw new FormatException("broken");
                case "client vanishes":
                    // Nothing says that the client is gone, but that it takes nothing any more.
                    while (true)
                        await connection.SendAsync(new byte[100_000], WebSocketMessageType.Binary);
                default:
                    await Handlers.EchoAsync(connection);
                    break;
            }
        }

        async Task Refuse(HttpListenerContext context)
        {
            contexts.Add(context);
            (await context.AcceptWebSocketConnectionAsync(options)).Should().BeNull();
        }
    }

    private static async Task OpenAndEndAsync(TestServerHost server, string way)
    {
        await using var client = await server.ConnectRawAsync();
        switch (way)
        {
            case "clean close by the client":
                await client.SendAsync(RawWebSocket.Text("x"), RawWebSocket.Close(1000));
                (await client.ReceiveAllAsync()).Should().HaveCount(2);
                break;
            case "clean close by the server" or "handler fails":
                (await client.ReceiveAsync())!.CloseStatus.Should().NotBeNull();
                await client.SendAsync(RawWebSocket.Close(1000));
                (await client.ReceiveAsync()).Should().BeNull();
                break;
            case "abort by the server" or "abort by the server, handler goes on":
                await client.SendAsync(RawWebSocket.Text("x"));
                await IgnoreAsync(client.ReceiveAllAsync());
                break;
            case "client ends TCP":
                await EchoOnceAsync(client);
                client.Socket.Shutdown(SocketShutdown.Send);
                await IgnoreAsync(client.ReceiveAllAsync());
                break;
            case "client resets":
                await EchoOnceAsync(client);
                client.Reset();
                break;
            case "client vanishes":
                // Nobody reads or writes any more. With the last bytes unread not even the end of TCP arrives: only the server knows.
                var ended = server.Logs.Ours.Count(IsClosed);
                await Until.TrueAsync(() => server.Logs.Ours.Count(IsClosed) > ended);
                break;
            case "protocol violation":
                await client.SendAsync(RawWebSocket.Frame(3, "x"u8));
                await IgnoreAsync(client.ReceiveAllAsync());
                break;
            default:
                client.StatusCode.Should().Be(403);
                break;
        }
    }

    private static bool IsClosed(LogRecord record) => record.Event.Name == "Closed";

    private static async Task EchoOnceAsync(RawWebSocket client)
    {
        await client.SendAsync(RawWebSocket.Text("x"));
        (await client.ReceiveAsync())!.Text.Should().Be("x");
    }

    private static async Task IgnoreAsync(Task<List<RawFrame>> reading)
    {
        try
        {
            await reading;
        }
        catch (IOException)
        {
            // An end without a closing handshake may be a reset.
        }
    }
}
