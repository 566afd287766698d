using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, CSWSH (CWE-1385): another site's page acts with the user's cookies.</summary>
public class CrossSiteHijackingTests
{
    private const string Session = "Cookie: session=victim";

    private static readonly string[] Kinds = ["ws", "sse", "cursor", "publish", "change"];

    /// <summary>Origins, as an attacker can have them, with the server at http://app.example:8080.</summary>
    public static TheoryData<string> Foreign =>
    [
        "http://evil.example", "http://app.example", "http://app.example:80", "http://app.example:8081", "https://app.example:8080", "ws://app.example:8080",
        "http://app.example:8080.evil.example", "http://evil.example:8080", "http://evilapp.example:8080", "http://sub.app.example:8080", "http://app.example.evil.example:8080",
        "http://app.example:8080@evil.example", "http://app.example:8080/", "null", "file://", "http://", "app.example:8080",
        "http://app.example:8080, http://evil.example", "http://app.example.:8080", "http://[app.example]:8080", "chrome-extension://app.example:8080",
        "http://ap\u0440.example:8080", "data:text/html,x", "http://evil.example\thttp://app.example:8080",
    ];

    [Theory(Timeout = Until.Bound), MemberData(nameof(Foreign))]
    public async Task Page_OfAnotherOrigin_IsRefusedEverywhere(string origin)
    {
        await using var server = await StartAsync(OriginPolicy.SameOrigin);
        await using var bystander = await Bystander.JoinAsync(server);
        foreach (var kind in Kinds)
            AssertRefused(await SendAsync(server, kind, origin));
        server.Hub().Connections.Find("").Should().BeNull();
        await bystander.IsServedAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Page_OfAnotherOriginWithTheCheckOff_GetsEverything()
    {
        await using var server = await StartAsync(OriginPolicy.Any);
        foreach (var kind in Kinds.SkipLast(1))
        {
            var status = await SendAsync(server, kind, "http://evil.example");
            Proof.FailsWithoutTheLimit(() => AssertRefused(status));
        }
    }

    [Theory(Timeout = Until.Bound), InlineData("http://app.example:8080"), InlineData("HTTP://APP.EXAMPLE:8080"), InlineData(null)]
    public async Task Page_OfTheSameOriginOrNoPage_IsServed(string? origin)
    {
        await using var server = await StartAsync(OriginPolicy.SameOrigin);
        foreach (var kind in Kinds.SkipLast(1))
            (await SendAsync(server, kind, origin)).Should().BeOneOf(101, 200, 202);
    }

    // Behind no proxy these headers are the attacker's: nobody reads them.
    [Theory(Timeout = Until.Bound)]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80")]
    [InlineData("Forwarded: host=evil.example;proto=http")]
    [InlineData("X-Original-Host: evil.example")]
    [InlineData("X-Host: evil.example")]
    public async Task Page_WithForwardedHeaders_IsRefused(string header)
    {
        await using var server = await StartAsync(OriginPolicy.SameOrigin);
        foreach (var kind in Kinds)
            AssertRefused(await SendAsync(server, kind, "http://evil.example", header));
    }

    // A listed origin is whole, too, and a list does not believe the Host header: DNS rebinding makes that the attacker's.
    [Theory(Timeout = Until.Bound)]
    [InlineData("https://page.example", true)]
    [InlineData("http://page.example", false)]
    [InlineData("https://page.example:444", false)]
    [InlineData("https://a.page.example", false)]
    [InlineData("https://page.example.evil.example", false)]
    [InlineData("http://app.example:8080", false)]
    public async Task Page_WithAList_MustStandInIt(string origin, bool isAllowed)
    {
        await using var server = await StartAsync(OriginPolicy.Only("https://page.example"));
        foreach (var kind in Kinds.SkipLast(1))
            ((await SendAsync(server, kind, origin)) != 403).Should().Be(isAllowed);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Host_ThatIsNoHost_MatchesNothing()
    {
        await using var server = await StartAsync(OriginPolicy.SameOrigin);
        (await SendRawAsync(server, "GET /ws HTTP/1.1\r\nHost: \r\nOrigin: http://\r\n")).Should().BeOneOf(400, 403);
        (await SendRawAsync(server, "GET http://evil.example/ws HTTP/1.1\r\nHost: app.example:8080\r\nOrigin: http://evil.example\r\n")).Should().BeOneOf(400, 403);
        (await SendRawAsync(server, "GET /ws HTTP/1.1\r\nHost: app.example:8080\r\nOrigin: http://evil.example\r\nOrigin: http://app.example:8080\r\n")).Should().Be(403);
    }

    // Credentials are shared with listed pages only where it is said, never with every page.
    [Theory(Timeout = Until.Bound), InlineData(false, false), InlineData(true, true)]
    public async Task Credentials_OfAnEventStream_AreSharedOnlyWhenSaid(bool allow, bool isShared)
    {
        foreach (var policy in new[] { OriginPolicy.Only("https://page.example"), OriginPolicy.Any })
        {
            await using var server = await StartAsync(policy, allow);
            foreach (var path in new[] { "/sse", "/live?topic=a" })
            {
                await using var request = await RawRequest.SendAsync(server.Port, path, "Accept: text/event-stream", "Origin: https://page.example", Session);
                var head = await request.ReadUntilAsync("\r\n\r\n");
                head.Contains("Access-Control-Allow-Credentials: true", StringComparison.OrdinalIgnoreCase).Should().Be(isShared && policy != OriginPolicy.Any);
                head.Should().Contain(policy == OriginPolicy.Any ? "Access-Control-Allow-Origin: *" : "Access-Control-Allow-Origin: https://page.example");
            }
        }
    }

    [Theory(Timeout = Until.Bound), InlineData("http://evil.example", 403), InlineData("null", 403), InlineData(null, 101)]
    public async Task HttpListener_PageOfAnotherOrigin_IsRefused(string? origin, int status)
    {
        await using var listener = ListenerHost.Start(static router => router
            .MapWebSocket("/ws", Handlers.EchoAsync)
            .MapServerSentEvents("/sse", static (events, closed) => events.WriteAsync("secret", cancellationToken: closed).AsTask()));
        string[] headers = origin is null ? [] : [$"Origin: {origin}"];
        await using var peer = await RawWebSocket.ConnectAsync(listener.Port, isTls: false, "/ws", headers);
        peer.StatusCode.Should().Be(status);
        await using var events = await RawRequest.SendAsync(listener.Port, "/sse", headers);
        (await events.ReadUntilAsync("\r\n\r\n")).Should().StartWith($"HTTP/1.1 {(status == 101 ? 200 : status)} ");
        await listener.IsServedAsync();
    }

    // The list of an allowed origin is off: what stood between is that option.
    [Fact(Timeout = Until.Bound)]
    public async Task HttpListener_CheckOff_IsServed()
    {
        await using var listener = ListenerHost.Start(static router => router.MapWebSocket("/ws", new HttpListenerWebSocketOptions { Origins = HttpListenerOriginPolicy.Any }, Handlers.EchoAsync));
        await using var peer = await RawWebSocket.ConnectAsync(listener.Port, isTls: false, "/ws", "Origin: http://evil.example");
        Proof.FailsWithoutTheLimit(() => AssertRefused(peer.StatusCode));
    }

    private static void AssertRefused(int status) => status.Should().BeOneOf([403, 400], "400 is Kestrel's, for what is no header");

    private static Task<TestServerHost> StartAsync(OriginPolicy origins, bool allowCredentials = false) => TestServerHost.StartAsync(
        Wire.Pipes,
        app =>
        {
            app.MapWebSocket("/ws", new WebSocketEndpointOptions { Origins = origins }, Handlers.EchoAsync);
            app.MapWebSocket("/echo", Handlers.EchoAsync);
            app.MapServerSentEvents("/sse", new ServerSentEventEndpointOptions { Origins = origins, AllowCredentials = allowCredentials }, static (events, closed) => events.WriteAsync("secret", cancellationToken: closed).AsTask());
            app.MapTopics("/live", options =>
            {
                options.Origins = origins;
                options.AllowCredentials = allowCredentials;
            });
        },
        builder => builder.Services.AddTopics(TopicsServer.AllowPublish));

    private static Task<int> SendAsync(TestServerHost server, string kind, string? origin, params string[] more)
    {
        var headers = string.Concat(((string[])["Host: app.example:8080", Session, .. origin is null ? Array.Empty<string>() : [$"Origin: {origin}"], .. more]).Select(header => header + "\r\n"));
        return SendRawAsync(server, kind switch
        {
            "ws" => $"GET /ws HTTP/1.1\r\n{headers}",
            "sse" => $"GET /sse HTTP/1.1\r\nAccept: text/event-stream\r\n{headers}",
            "cursor" => $"GET /live?topic=a HTTP/1.1\r\nAccept: application/json\r\n{headers}",
            "publish" => $"POST /live/a HTTP/1.1\r\nContent-Length: 0\r\n{headers}",
            _ => $"POST /live HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n{headers}\r\n{{}}",
        });
    }

    private static async Task<int> SendRawAsync(TestServerHost server, string head)
    {
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        if (head.Contains("GET /ws", StringComparison.Ordinal) || head.Contains("/ws HTTP", StringComparison.Ordinal))
            head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        await peer.Stream.WriteAsync(Encoding.UTF8.GetBytes(head.EndsWith('}') ? head : head + "\r\n"), Until.Cancelled);
        var buffer = new byte[4096];
        var count = await peer.Stream.ReadAsync(buffer, Until.Cancelled);
        return int.Parse(Encoding.ASCII.GetString(buffer, 0, count).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
