using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class HandshakeTests
{
    private const string Key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    private const string Upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    private const string Version = "Sec-WebSocket-Version: 13\r\n";

    [Fact(Timeout = Until.Bound)]
    public async Task Request_Valid_GetsTheAcceptValueOfTheRfcsExample()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await server.ConnectRawAsync();
        client.StatusCode.Should().Be(101);

        // RFC 6455 §1.3.
        client.Head.Should().Contain("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n")
            .And.Contain("upgrade: websocket\r\n").And.Contain("connection: upgrade\r\n").And.NotContain("sec-websocket-protocol");
    }

    // RFC 6455 §4.2.1, §4.2.2, §4.4; RFC 9110 §15.5.22.
    [Theory(Timeout = Until.Bound)]
    [InlineData("GET", "", 426)]
    [InlineData("POST", Upgrade + Key + Version, 405)]
    [InlineData("GET", "Connection: Upgrade\r\n" + Key + Version, 400)]
    [InlineData("GET", "Upgrade: websocket\r\n" + Key + Version, 400)]
    [InlineData("GET", "Upgrade: h2c\r\nConnection: Upgrade\r\n" + Key + Version, 400)]
    [InlineData("GET", Upgrade + Version, 400)]
    [InlineData("GET", Upgrade + Version + "Sec-WebSocket-Key: short\r\n", 400)]
    [InlineData("GET", Upgrade + Version + Key + Key, 400)]
    [InlineData("GET", Upgrade + Key, 400)]
    [InlineData("GET", Upgrade + Key + "Sec-WebSocket-Version: 8\r\n", 426)]
    [InlineData("GET", Upgrade + Key + Version + "Sec-WebSocket-Protocol: a,,b c\r\n", 400)]
    [InlineData("GET", Upgrade + Key + Version + "Sec-WebSocket-Extensions: =\r\n", 400)]
    [InlineData("GET", "UPGRADE: WebSocket\r\nConnection: keep-alive, upgrade\r\n" + Key + Version, 101)]
    public async Task Request_PerRule_GetsItsStatus(string method, string headers, int status)
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await client.SendHeadAsync($"{method} /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}");
        client.StatusCode.Should().Be(status);
        if (status == 426)
            client.Head.Should().Contain("sec-websocket-version: 13\r\n").And.Contain("upgrade: websocket\r\n");
        if (status is 400 or 426)
            server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "HandshakeRefused" && record.Message.Contains("RFC "));
        if (status == 405)
            client.Head.Should().Contain("allow: ");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Request_Http10_IsRefused()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await client.SendHeadAsync("GET /ws HTTP/1.0\r\nHost: 127.0.0.1\r\n" + Upgrade + Key + Version);
        client.StatusCode.Should().Be(400);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Request_PastTheServersLimitOfUpgrades_Gets503()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes, app => app.MapWebSocket("/ws", Handlers.EchoAsync), kestrel: options => options.Limits.MaxConcurrentUpgradedConnections = 1);
        await using var first = await server.ConnectRawAsync();
        first.StatusCode.Should().Be(101);
        await using var second = await server.ConnectRawAsync();
        second.StatusCode.Should().Be(503);
        second.Head.Should().NotContain("sec-websocket-accept").And.NotContain("upgrade:");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Request_FramesRightBehindTheHead_AreNotLost()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        var head = System.Text.Encoding.ASCII.GetBytes($"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{Upgrade}{Key}{Version}\r\n");
        await client.SendAsync(head, RawWebSocket.Text("early"), RawWebSocket.Close(1000));
        await client.SendHeadAsync("");   // two stray bytes after the Close, which nothing may answer
        client.StatusCode.Should().Be(101);
        (await client.ReceiveAsync())!.Text.Should().Be("early");
        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    // RFC 6455 §4.2.2: the first of the client's that the server knows.
    [Theory(Timeout = Until.Bound)]
    [InlineData(Wire.Pipes, "b,a", "b")]
    [InlineData(Wire.Pipes, "x,a,b", "a")]
    [InlineData(Wire.Pipes, "A,x", null)]
    [InlineData(Wire.Pipes, "", null)]
    [InlineData(Wire.Http2, "x,b", "b")]
    [InlineData(Wire.Http2Tls, "x", null)]
    public async Task SubProtocols_Offered_TheFirstKnownIsChosen(Wire wire, string offered, string? chosen)
    {
        await using var server = await TestServerHost.StartAsync(
            wire, async connection => await connection.SendAsync(connection.SubProtocol ?? "none"), options => options.SubProtocols = ["a", "b"]);
        using var client = await server.ConnectAsync(configure: options =>
        {
            foreach (var name in offered.Split(',', StringSplitOptions.RemoveEmptyEntries))
                options.AddSubProtocol(name);
        });
        client.SubProtocol.Should().Be(chosen);
        (await client.ReceiveTextAsync()).Should().Be(chosen ?? "none");
    }

    // RFC 8441 §4 and §5: over HTTP/2 a handshake is a CONNECT with :protocol.
    [Theory(Timeout = Until.Bound)]
    [InlineData("GET", null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("CONNECT", "webtransport", HttpStatusCode.NotImplemented)]
    [InlineData("CONNECT", "websocket", HttpStatusCode.OK)]
    public async Task Http2_PerRule_GetsItsStatus(string method, string? protocol, HttpStatusCode status)
    {
        await using var server = await TestServerHost.StartAsync(Wire.Http2, Handlers.EchoAsync);
        using var invoker = TestServerHost.NewInvoker();
        using var request = new HttpRequestMessage(new HttpMethod(method), server.HttpUri())
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Protocol = protocol;
        request.Headers.Add("Sec-WebSocket-Version", "13");
        using var response = await invoker.SendAsync(request, Until.Cancelled);
        response.StatusCode.Should().Be(status);
        response.Headers.Contains("Sec-WebSocket-Accept").Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Http2_ManyWebSocketsOnOneConnection_AreApart()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Http2, Handlers.EchoAsync);
        using var invoker = TestServerHost.NewInvoker();
        var clients = new List<ClientWebSocket>();
        for (var i = 0; i < 20; i++)
        {
            var client = new ClientWebSocket { Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };
            await client.ConnectAsync(server.Uri(), invoker, Until.Cancelled);
            clients.Add(client);
        }

        await Parallel.ForAsync(0, clients.Count, Until.Cancelled, async (i, _) =>
        {
            for (var n = 0; n < 50; n++)
            {
                await clients[i].SendTextAsync($"{i} {n}");
                (await clients[i].ReceiveTextAsync()).Should().Be($"{i} {n}");
            }

            await clients[i].CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        });
        clients.ForEach(client => client.Dispose());
    }
}
