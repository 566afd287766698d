using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Listener.Tests.Routing;

public class RouterTests
{
    private const string Upgrade = "Upgrade: websocket";
    private const string Connection = "Connection: Upgrade";
    private const string Version = "Sec-WebSocket-Version: 13";
    private const string Key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

    [Theory(Timeout = Until.Bound)]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("GET", "/ws/below", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/ws", 426, "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Connection: Upgrade")]
    [InlineData("DELETE", "/ws", 405, "Allow: GET")]
    [InlineData("DELETE", "/both", 405, "Allow: GET, POST")]
    [InlineData("HEAD", "/sse", 405, "Allow: GET")]
    [InlineData("GET", "/sse", 200, "Content-Type: text/event-stream")]
    [InlineData("GET", "/SSE", 200)]
    [InlineData("GET", "/both", 200, "Content-Type: text/event-stream")]
    [InlineData("POST", "/both", 202)]
    [InlineData("GET", "/topics/a", 203)]
    [InlineData("GET", "/topics/", 203)]
    [InlineData("GET", "/topics", 404)]
    [InlineData("GET", "/topics/deeper/a", 299)]
    public async Task Request_WithoutUpgrade_GetsWhatIsAtItsPath(string method, string path, int status, params string[] headers)
    {
        await using var server = await StartAsync();
        var (actual, response) = await RawHttp.SendAsync(server.Port, method, path, "Content-Length: 0");
        actual.Should().Be(status);
        foreach (var header in headers)
            response.Should().Contain($"\r\n{header}\r\n");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(101, Upgrade, Connection, Version, Key)]
    [InlineData(101, "upgrade: WebSocket", "connection: keep-alive, upgrade", Version, Key)]
    [InlineData(400, Upgrade, Connection, Version)]
    [InlineData(400, Upgrade, Connection, Version, "Sec-WebSocket-Key: c2hvcnQ=")]
    [InlineData(400, Upgrade, Version, Key)]
    [InlineData(400, Upgrade, Connection, Key)]
    [InlineData(426, Upgrade, Connection, Key, "Sec-WebSocket-Version: 8")]
    [InlineData(403, Upgrade, Connection, Version, Key, "Origin: http://evil.example")]
    [InlineData(403, Upgrade, Connection, Version, Key, "Origin: null")]
    [InlineData(403, Upgrade, Connection, Version, Key, "Origin: http://127.0.0.1")]
    public async Task Handshake_OfThisKind_IsTakenOrRefused(int status, params string[] headers)
    {
        await using var server = await StartAsync();
        foreach (var path in (string[])["/ws", "/both"])
        {
            var (actual, response) = await RawHttp.SendAsync(server.Port, "GET", path, headers);
            actual.Should().Be(status);
            if (status == 426)
                response.Should().Contain("\r\nSec-WebSocket-Version: 13\r\n").And.Contain("\r\nUpgrade: websocket\r\n");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Handshake_OfTheOwnOriginAndASubprotocol_IsTaken()
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync("/named", options =>
        {
            options.SetRequestHeader("Origin", $"http://127.0.0.1:{server.Port}");
            options.AddSubProtocol("x");
            options.AddSubProtocol("b");
            options.AddSubProtocol("a");
        });
        client.SubProtocol.Should().Be("b", "it is the first of the client's that the server knows (RFC 6455 §4.2.2)");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_BehindATlsProxy_IsRefusedWithTheFix()
    {
        await using var server = await StartAsync();
        for (var i = 0; i < 2; i++)
        {
            await using var client = await server.ConnectRawAsync("/ws", $"Origin: https://127.0.0.1:{server.Port}");
            client.StatusCode.Should().Be(403);
        }

        server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "SchemeDiffers", "it is said once")
            .Which.Message.Should().Contain($"HttpListenerOriginPolicy.Only(\"https://127.0.0.1:{server.Port}\")");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("/fails", 500)]
    [InlineData("/fails-at-once", 500)]
    [InlineData("/fails-after-closing", 204)]
    public async Task PlainHandler_Throws_IsLoggedAndTheServerGoesOn(string path, int status)
    {
        await using var server = await StartAsync();
        using var http = new HttpClient { BaseAddress = server.HttpUri("/") };
        for (var i = 0; i < 3; i++)
        {
            using var response = await http.GetAsync(path, Until.Cancelled);
            ((int)response.StatusCode).Should().Be(status);
            (await response.Content.ReadAsStringAsync(Until.Cancelled)).Should().NotContain("secret");
        }

        await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Level == LogLevel.Error && record.Exception is FormatException) == 3);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task PlainHandler_ThrowsWithinItsResponse_ConnectionEnds()
    {
        await using var server = await StartAsync();
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"GET /fails-late HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n\r\n");
        (await http.ReadHeadAsync()).Status.Should().Be(200);
        (await http.ReadHeadAsync()).Response.Should().NotContain("HTTP/1.1", "nothing is answered on this connection any more");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Requests_BeyondTheLimit_GetA503UntilOthersEnd()
    {
        await using var server = await StartAsync(new HttpListenerRouterOptions { MaxConcurrentRequests = 2 });
        using var socket = await server.ConnectAsync("/ws");
        var stream = await EventStream.OpenedAsync(server, "/hold");
        var (status, response) = await RawHttp.SendAsync(server.Port, "GET", "/nothing");
        status.Should().Be(503);
        response.Should().Contain("\r\nRetry-After: 1\r\n");

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        await Until.TrueAsync(() => RawHttp.SendAsync(server.Port, "GET", "/nothing").GetAwaiter().GetResult().Status == 404);
        stream.Dispose();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_PlainRequests_MayFinishWhileNewOnesAreRefused()
    {
        await using var server = await StartAsync();
        using var http = new HttpClient { BaseAddress = server.HttpUri("/") };
        var slow = http.GetStringAsync("/slow", Until.Cancelled);
        await Until.TrueAsync(() => server.Logs.Ours.Any() || slow.IsCompleted || Slow.IsWaiting);
        var stop = server.StopAsync();
        await Until.TrueAsync(() => Slow.IsTold);
        server.Logs.Ours.Should().Contain(record => record.Event.Name == "RouterStopping");
        (await RawHttp.SendAsync(server.Port, "GET", "/nothing")).Status.Should().Be(503);
        Slow.MayAnswer.TrySetResult();
        (await slow).Should().Be("stopping", "the handler is told, and may still answer");
        await stop;
        server.Listener.IsListening.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_HandlerDoesNotListen_IsAbortedAtTheDeadline()
    {
        await using var server = await StartAsync(new HttpListenerRouterOptions { DrainTimeout = TimeSpan.FromMilliseconds(300) });
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"GET /deaf HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n\r\n");
        (await http.ReadHeadAsync()).Status.Should().Be(200);
        await server.StopAsync();
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "HandlersLeft");
        (await http.ReadHeadAsync()).Status.Should().Be(0, "its connection has ended");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Run_ListenerIsStopped_Ends()
    {
        await using var server = await StartAsync();
        server.Listener.Stop();
        await server.Running;
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Run_Twice_IsRefused()
    {
        await using var server = await StartAsync();
        await server.App.Router.Invoking(router => router.RunAsync(Until.Cancelled)).Should().ThrowAsync<InvalidOperationException>();
        server.App.Router.Invoking(router => router.MapWebSocket("/late", Handlers.EchoAsync)).Should().Throw<InvalidOperationException>();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Run_WriteExceptionsAreIgnored_IsRefused()
    {
        using var listener = new HttpListener { IgnoreWriteExceptions = true };
        await listener.MapWebSocket("/ws", Handlers.EchoAsync).Invoking(router => router.RunAsync(Until.Cancelled)).Should().ThrowAsync<InvalidOperationException>();
    }

    [Theory]
    [InlineData("")]
    [InlineData("ws")]
    [InlineData("/a*b")]
    [InlineData("/a?b=c")]
    public void Map_PatternIsNoPath_IsRefused(string path)
    {
        using var listener = new HttpListener();
        var map = () => listener.MapWebSocket(path, Handlers.EchoAsync);
        map.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Map_TheSameTwice_IsRefused()
    {
        using var listener = new HttpListener();
        var router = listener.MapWebSocket("/a", Handlers.EchoAsync).MapServerSentEvents("/a", (_, _) => Task.CompletedTask);
        router.Invoking(r => r.MapWebSocket("/A", Handlers.EchoAsync)).Should().Throw<ArgumentException>();
        router.Invoking(r => r.Map("GET", "/a", (_, _) => Task.CompletedTask)).Should().Throw<ArgumentException>();
        router.Map("POST", "/a", (_, _) => Task.CompletedTask);
    }

    private static Task<TestServerHost> StartAsync(HttpListenerRouterOptions? options = null) => TestServerHost.StartAsync(
        Wire.Pipes,
        app => app.Router
            .MapWebSocket("/ws", Handlers.EchoAsync)
            .MapWebSocket("/named", new HttpListenerWebSocketOptions { SubProtocols = ["a", "b"] }, Handlers.EchoAsync)
            .MapWebSocket("/both", Handlers.EchoAsync)
            .MapServerSentEvents("/both", (_, _) => Task.CompletedTask)
            .Map("POST", "/both", Status(202))
            .MapServerSentEvents("/sse", (_, _) => Task.CompletedTask)
            .MapServerSentEvents("/hold", (_, cancel) => Task.Delay(Timeout.Infinite, cancel))
            .Map("GET", "/topics/*", Status(203))
            .Map("GET", "/topics/deeper/*", Status(299))
            .Map("GET", "/fails", async (_, _) =>
            {
                await Task.Yield();
                throw new FormatException("secret");
            })
            .Map("GET", "/fails-at-once", (_, _) => throw new FormatException("secret"))
            .Map("GET", "/fails-after-closing", (context, _) =>
            {
                context.Response.StatusCode = 204;
                context.Response.Close();
                throw new FormatException("secret");
            })
            .Map("GET", "/fails-late", async (context, _) =>
            {
                await context.Response.OutputStream.WriteAsync("begun"u8.ToArray(), CancellationToken.None);
                throw new FormatException("secret");
            })
            .Map("GET", "/slow", Slow.AnswerAsync)
            .Map("GET", "/deaf", async (context, _) =>
            {
                await context.Response.OutputStream.WriteAsync("begun"u8.ToArray(), CancellationToken.None);
                await Task.Delay(Timeout.Infinite, Until.Cancelled);
            }),
        options);

    private static Func<HttpListenerContext, CancellationToken, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static class Slow
    {
        public static bool IsWaiting { get; private set; }

        /// <summary>Whether the router has stopped serving: it logs that before.</summary>
        public static bool IsTold { get; private set; }

        /// <summary>Set once the test needs the drain no more.</summary>
        public static TaskCompletionSource MayAnswer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static async Task AnswerAsync(HttpListenerContext context, CancellationToken stopping)
        {
            IsWaiting = true;
            await Task.Delay(Timeout.Infinite, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
            IsTold = true;
            await MayAnswer.Task;
            await Task.Delay(200, CancellationToken.None);   // time in which the drain must wait
            await context.Response.OutputStream.WriteAsync(Encoding.ASCII.GetBytes("stopping"), CancellationToken.None);
        }
    }
}
