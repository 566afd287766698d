using System.Text;

namespace RealtimeKit.Listener.Tests.Routing;

/// <summary>What the framework takes and refuses before this library sees a request, and that nobody else suffers from it.</summary>
public class HostileRequestTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task Request_FloodOfHeaders_IsServedOrRefused(int count)
    {
        await using var server = await StartAsync();
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n");
        var flood = new StringBuilder();
        for (var i = 0; i < count; i++)
            flood.Append("X-").Append(i).Append(": xxxxxxxxxx\r\n");
        await SendUntilRefusedAsync(http, flood.Append("\r\n").ToString());

        // The framework's limit of 32 KiB depends on how the bytes arrive.
        (await http.ReadHeadAsync()).Status.Should().BeOneOf(count == 100 ? [200] : [200, 400, 0]);
        await IsAliveAsync(server);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(2000, 200)]
    [InlineData(16_000, 200)]
    [InlineData(20_000, 414)]
    [InlineData(4_000_000, 414)]
    public async Task Request_HugeUrl_IsRefused(int length, int status)
    {
        await using var server = await StartAsync();
        using var http = await RawHttp.ConnectAsync(server.Port);
        await SendUntilRefusedAsync(http, $"GET /hello?{new string('x', length)} HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n\r\n");
        (await http.ReadHeadAsync()).Status.Should().Be(status);
        await IsAliveAsync(server);
    }

    // A request that is not complete takes no place among those that are served.
    [Fact(Timeout = Until.Bound)]
    public async Task Requests_HeadersThatNeverEnd_LeaveOthersAlone()
    {
        await using var server = await StartAsync(new HttpListenerRouterOptions { MaxConcurrentRequests = 5 });
        var slow = new List<RawHttp>();
        for (var i = 0; i < 200; i++)
        {
            slow.Add(await RawHttp.ConnectAsync(server.Port));
            await slow[i].SendAsync("GET /hello HTTP/1.1\r\nHo");
        }

        await IsAliveAsync(server);
        await slow[7].SendAsync($"st: 127.0.0.1:{server.Port}\r\n\r\n");
        (await slow[7].ReadHeadAsync()).Status.Should().Be(200);
        slow.ForEach(http => http.Dispose());
        await Until.TrueAsync(() => TcpConnections.OpenAt(server.Port) == 0);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\r\n\r\n")]
    [InlineData("GET /hello HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nno colon\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("\0\u0001\u0002\u00ff\r\n\r\n")]
    public async Task Request_Malformed_IsRefusedAndTheServerGoesOn(string request)
    {
        await using var server = await StartAsync();
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync(request);
        (await http.ReadHeadAsync()).Status.Should().NotBe(200);
        await IsAliveAsync(server);
    }

    // The framework reads on, synchronously, what nobody has read of a body, before the connection serves another request.
    [Theory(Timeout = Until.Bound)]
    [InlineData("GET", "/sse")]
    [InlineData("GET", "/nothing")]
    [InlineData("POST", "/hello")]
    public async Task Request_BodyThatNeverEnds_IsNotWaitedFor(string method, string path)
    {
        await using var server = await StartAsync(new HttpListenerRouterOptions { MaxConcurrentRequests = 1 });
        using var http = await RawHttp.ConnectAsync(server.Port);
        await http.SendAsync($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: 1000000\r\n\r\nx");
        (await http.ReadHeadAsync()).Status.Should().BePositive();
        await Until.TrueAsync(() => RawHttp.SendAsync(server.Port, "GET", "/hello").GetAwaiter().GetResult().Status == 200);
    }

    private static Task<TestServerHost> StartAsync(HttpListenerRouterOptions? options = null) => TestServerHost.StartAsync(
        Wire.Pipes,
        app => app.Router
            .Map("GET", "/hello", (_, _) => Task.CompletedTask)
            .MapServerSentEvents("/sse", (_, _) => Task.CompletedTask),
        options);

    private static async Task SendUntilRefusedAsync(RawHttp http, string text)
    {
        try
        {
            await http.SendAsync(text);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Refused before it was all sent.
        }
    }

    private static async Task IsAliveAsync(TestServerHost server) =>
        (await RawHttp.SendAsync(server.Port, "GET", "/hello")).Status.Should().Be(200);
}
