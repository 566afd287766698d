using RealtimeKit.Topics;

namespace RealtimeKit.Listener.Tests.Routing;

/// <summary>
/// Bodies that nobody reads. The framework takes what comes of a chunked one for the next request (RFC 9112 §9.3 wants it read or the
/// connection closed), and reads one of a known length to its end on the thread that closes the response.
/// </summary>
public class UnreadBodyTests
{
    private const string WebSocket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    public static TheoryData<string, string, int> Requests => new()
    {
        { "GET /hello", "", 200 },
        { "POST /hello", "", 200 },
        { "DELETE /hello", "", 405 },
        { "GET /nothing", "", 404 },
        { "GET /sse", "", 200 },
        { "GET /refused", "", 204 },
        { "GET /refused", WebSocket, 403 },
        { "GET /live?topic=a", "Accept: application/json\r\n", 200 },
        { "GET /live?topic=a", "Accept: text/html\r\n", 406 },
        { "OPTIONS /live?topic=a", "", 204 },
    };

    [Theory(Timeout = Until.Bound), MemberData(nameof(Requests))]
    public async Task Chunked_IsNotTheNextRequest(string request, string headers, int status)
    {
        var smuggled = 0;
        await using var server = await StartAsync(app => app.Map("GET", "/smuggled", (_, _) => Task.FromResult(Interlocked.Increment(ref smuggled))));
        using var http = await RawHttp.ConnectAsync(server.Port);
        var host = $"Host: 127.0.0.1:{server.Port}\r\n";
        var inner = $"GET /smuggled HTTP/1.1\r\n{host}\r\n";
        await http.SendAsync($"{request} HTTP/1.1\r\n{host}{headers}Transfer-Encoding: chunked\r\n\r\n{inner.Length:x}\r\n");
        (await http.ReadHeadAsync()).Status.Should().Be(status);
        try
        {
            await http.SendAsync($"{inner}\r\n0\r\n\r\n");
            await http.SendAsync($"GET /hello HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The connection has ended.
        }

        await http.ReadToEndAsync();
        smuggled.Should().Be(0);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Requests))]
    public async Task OfKnownLength_ThatDrips_HoldsNothing(string request, string headers, int status)
    {
        await using var server = await StartAsync(options: new HttpListenerRouterOptions { MaxConcurrentRequests = 1 });
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"{request} HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n{headers}Content-Length: 1000000000\r\n\r\nx");
        (await http.ReadHeadAsync()).Status.Should().Be(status);
        var dripping = DripAsync(http);
        await Until.TrueAsync(() => RawHttp.SendAsync(server.Port, "GET", "/hello").GetAwaiter().GetResult().Status == 200);
        await dripping;
    }

    private static async Task<TestServerHost> StartAsync(Action<HttpListenerRouter>? map = null, HttpListenerRouterOptions? options = null)
    {
        var hub = new TopicHub();
        var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                var router = app.Router
                    .Map("GET", "/hello", (_, _) => Task.CompletedTask)
                    .Map("POST", "/hello", (_, _) => Task.CompletedTask)
                    .MapServerSentEvents("/sse", (_, _) => Task.CompletedTask)
                    .MapServerSentEvents("/refused", new HttpListenerServerSentEventOptions { Accept = _ => ValueTask.FromResult(false) }, (_, _) => Task.CompletedTask)
                    .MapWebSocket("/refused", new HttpListenerWebSocketOptions { Accept = (_, _) => ValueTask.FromResult(false) }, _ => Task.CompletedTask)
                    .MapTopics("/live", hub, new HttpListenerTopicOptions { AllowNamedTopics = true });
                map?.Invoke(router);
            },
            options);
        server.Topics = hub;
        return server;
    }

    // Until the connection is ended, which it is.
    private static async Task DripAsync(RawHttp http)
    {
        try
        {
            while (true)
            {
                await http.SendAsync("x");
                await Task.Delay(200, Until.Cancelled);
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
        }
    }
}
