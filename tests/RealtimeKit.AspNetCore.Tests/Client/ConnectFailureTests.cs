using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>Every way in which a connect fails, and what the caller learns of it.</summary>
public class ConnectFailureTests
{
    private const string Accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n";

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_Refused_IsTransient()
    {
        // Bound, so that nobody else takes the port, but it does not listen.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var error = await FailAsync(new Uri($"ws://{socket.LocalEndPoint}/ws"));
        error.RequestError.Should().Be(HttpRequestError.ConnectionError);
        error.IsTransient.Should().BeTrue();
        error.StatusCode.Should().BeNull();
        error.HandshakeError.Should().Be(WebSocketHandshakeError.None);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_UnknownName_SaysSo()
    {
        var error = await FailAsync(new Uri("ws://does-not-exist.invalid/"));
        error.RequestError.Should().Be(HttpRequestError.NameResolutionError);
        error.IsTransient.Should().BeTrue();
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData(200, false)]
    [InlineData(301, false)]
    [InlineData(400, false)]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(404, false)]
    [InlineData(408, true)]
    [InlineData(426, false)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(501, false)]
    [InlineData(502, true)]
    [InlineData(503, true)]
    [InlineData(504, true)]
    public async Task Connect_Status_IsToldWithHeadersAndBody(int status, bool isTransient)
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, (WebApplication app) => app.Map("/ws", (HttpContext http) =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers["X-Why"] = "because";
            http.Response.ContentType = "text/plain";
            return http.Response.WriteAsync("the whole story");
        }));
        var error = await FailAsync(server.Uri());
        error.HandshakeError.Should().Be(WebSocketHandshakeError.UnexpectedStatus);
        error.StatusCode.Should().Be((HttpStatusCode)status);
        error.Headers!.GetValues("X-Why").Should().Equal("because");
        error.ContentType.Should().Be("text/plain");
        error.GetBodyText().Should().Be("the whole story");
        error.IsTransient.Should().Be(isTransient);
        error.RetryAfter.Should().BeNull();
        error.RequestError.Should().BeNull();
        error.Message.Should().Be($"The server refused the WebSocket handshake with status {status}.");
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Http2), InlineData(Wire.Http2Tls)]
    public async Task Connect_StatusOverHttp2_IsTold(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, (WebApplication app) => app.Map("/ws", (HttpContext http) =>
        {
            http.Response.StatusCode = 403;
            return http.Response.WriteAsync("no");
        }));
        var error = await FailAsync(server.Uri(), WebSocketClientTests.OptionsFor(wire));
        error.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        error.GetBodyText().Should().Be("no");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_RetryAfter_IsReadAsSecondsAndAsDate()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero));
        foreach (var (value, seconds) in new[] { ("120", 120), ("Tue, 01 Jan 2030 12:00:30 GMT", 30), ("Tue, 01 Jan 2030 11:00:00 GMT", 0) })
        {
            await using var server = new RawServer($"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
            var error = await FailAsync(server.Uri, new WebSocketClientOptions { Connection = { TimeProvider = clock } });
            error.RetryAfter.Should().Be(TimeSpan.FromSeconds(seconds));
            error.IsTransient.Should().BeTrue();
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_LongBody_IsBounded()
    {
        await using var server = new RawServer($"HTTP/1.1 404 No\r\nContent-Length: 1000000\r\n\r\n{new string('x', 10_000)}");
        var error = await FailAsync(server.Uri);
        error.Body.Length.Should().Be(4096, "and the rest, which never comes, is not waited for");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_BodyStalls_StillTellsTheStatus()
    {
        await using var server = new RawServer("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nhalf");
        var error = await FailAsync(server.Uri);
        error.StatusCode.Should().Be(HttpStatusCode.NotFound);
        error.GetBodyText().Should().Be("half");
        error.IsTimeout.Should().BeFalse();
    }

    // RFC 6455 §4.1, the numbered rules for the server's response.
    [Theory(Timeout = Until.Bound)]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n", WebSocketHandshakeError.AcceptInvalid)]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", WebSocketHandshakeError.AcceptMissing)]
    [InlineData(Accepted + "Sec-WebSocket-Accept: {accept}\r\n", WebSocketHandshakeError.AcceptRepeated)]
    [InlineData("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n", WebSocketHandshakeError.ResponseUpgradeInvalid)]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n", WebSocketHandshakeError.ResponseUpgradeInvalid)]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: {accept}\r\n", WebSocketHandshakeError.ResponseConnectionInvalid)]
    [InlineData(Accepted + "Sec-WebSocket-Protocol: unknown\r\n", WebSocketHandshakeError.SubProtocolNotOffered)]
    [InlineData(Accepted + "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", WebSocketHandshakeError.SubProtocolRepeated)]
    [InlineData(Accepted + "Sec-WebSocket-Extensions: permessage-deflate\r\n", WebSocketHandshakeError.ExtensionNotOffered)]
    [InlineData(Accepted + "Sec-WebSocket-Extensions: ;;\r\n", WebSocketHandshakeError.ExtensionsMalformed)]
    public async Task Connect_BrokenHandshake_NamesTheRule(string answer, WebSocketHandshakeError expected)
    {
        await using var server = new RawServer(answer + "\r\n");
        var error = await FailAsync(server.Uri, new WebSocketClientOptions { SubProtocols = ["chat"] });
        error.HandshakeError.Should().Be(expected);
        error.StatusCode.Should().Be(HttpStatusCode.SwitchingProtocols);
        error.IsTransient.Should().BeFalse();
        error.Message.Should().Contain("RFC 6455");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_MinimalHandshake_Works()
    {
        await using var server = new RawServer(Accepted.Replace("websocket", "WebSocket", StringComparison.Ordinal) + "Sec-WebSocket-Protocol: chat\r\n\r\n\u0081\u0002hi");
        await using var client = await WebSocketClient.ConnectAsync(server.Uri, new WebSocketClientOptions { SubProtocols = ["chat"], Connection = { CloseTimeout = TimeSpan.FromMilliseconds(50) } }, Until.Cancelled);
        client.SubProtocol.Should().Be("chat");
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("hi", "a frame may come with the response");
        server.Requests.Single().Should().StartWith("GET /ws HTTP/1.1\r\n").And.Contain("Sec-WebSocket-Version: 13\r\n").And.Contain("Upgrade: websocket\r\n").And.Contain("Connection: Upgrade\r\n");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_EndlessHeaders_StopsAtTheLimit()
    {
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 101 X\r\n"u8.ToArray(), stop);
            while (true)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"X-Header: {new string('x', 1000)}\r\n"), stop);
        });
        var error = await FailAsync(server.Uri);
        error.RequestError.Should().Be(HttpRequestError.ConfigurationLimitExceeded);
        error.IsTransient.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_TooManyHeaders_IsRefused()
    {
        var many = string.Concat(Enumerable.Range(0, 70).Select(i => $"X-{i}: 1\r\n"));
        await using var server = new RawServer(Accepted + many + "\r\n");
        (await FailAsync(server.Uri)).HandshakeError.Should().Be(WebSocketHandshakeError.HeadersTooLarge);
        await using var client = await WebSocketClient.ConnectAsync(
            server.Uri, new WebSocketClientOptions { MaxResponseHeaders = 100, Connection = { CloseTimeout = TimeSpan.FromMilliseconds(50) } }, Until.Cancelled);
        client.State.Should().Be(WebSocketState.Open);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_Stall_EndsAtTheDeadline()
    {
        await using var server = new RawServer("HTTP/1.1 101 Switching Protocols\r\n");
        var error = await FailAsync(server.Uri, new WebSocketClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(100) });
        error.IsTimeout.Should().BeTrue();
        error.IsTransient.Should().BeTrue();
        error.RequestError.Should().BeNull();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_Cancelled_Throws()
    {
        await using var server = new RawServer("");
        using var cancel = new CancellationTokenSource();
        var connect = WebSocketClient.ConnectAsync(server.Uri, cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        (await FluentActions.Awaiting(() => connect).Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancel.Token);
        await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(server.Uri, cancellationToken: cancel.Token)).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_ServerHangsUp_IsTransient()
    {
        await using var server = new RawServer((_, _, _) => Task.CompletedTask);
        var error = await FailAsync(server.Uri);
        error.RequestError.Should().Be(HttpRequestError.ResponseEnded);
        error.IsTransient.Should().BeTrue();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_NotHttp_SaysSo()
    {
        await using var server = new RawServer("220 mail.example ESMTP\r\n\r\n");
        var error = await FailAsync(server.Uri);
        error.RequestError.Should().Be(HttpRequestError.InvalidResponse);
        error.IsTransient.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_UntrustedCertificate_IsPermanent()
    {
        await using var server = await TestServerHost.StartAsync(Wire.PipesTls, Handlers.EchoAsync);
        var error = await FailAsync(server.Uri());
        error.RequestError.Should().Be(HttpRequestError.SecureConnectionError);
        error.IsTransient.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_TlsToAPlainServer_Fails()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        (await FailAsync(new Uri($"wss://127.0.0.1:{server.Port}/ws"))).RequestError.Should().Be(HttpRequestError.SecureConnectionError);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_HungUpInTheTlsHandshake_IsTransient()
    {
        // The ClientHello ends with no empty line: the server hangs up without an answer once it has some of it.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var uri = new Uri($"wss://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        var connect = FailAsync(uri);
        using (var socket = await listener.AcceptSocketAsync(Until.Cancelled))
            await socket.ReceiveAsync(new byte[1], Until.Cancelled);
        var error = await connect;
        error.RequestError.Should().Be(HttpRequestError.SecureConnectionError);
        error.IsTransient.Should().BeTrue();
    }

    [Theory(Timeout = Until.Bound), InlineData(407, false), InlineData(502, true)]
    public async Task Connect_ProxyRefuses_TellsItsStatusAndNoSecrets(int status, bool isTransient)
    {
        await using var proxy = ConnectProxy.Start($"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        var error = await FailAsync(
            new Uri("wss://secret-host.invalid/?token=t0psecret"),
            new WebSocketClientOptions { Proxy = new WebProxy(new Uri($"http://user:passw0rd@127.0.0.1:{proxy.Port}")) });
        error.RequestError.Should().Be(HttpRequestError.ProxyTunnelError);
        error.StatusCode.Should().Be((HttpStatusCode)status);
        error.IsTransient.Should().Be(isTransient);
        error.ToString().Should().NotContain("passw0rd").And.NotContain("t0psecret");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_Secrets_StandInNoMessage()
    {
        await using var refusing = new RawServer("HTTP/1.1 401 No\r\nSet-Cookie: session=c00kie\r\nContent-Length: 6\r\n\r\nb0dy!!");
        var options = new WebSocketClientOptions();
        options.SetHeader("Authorization", "Bearer t0ken");
        var error = await FailAsync(new Uri(refusing.Uri, "/ws?access_token=qu3ry"), options);
        error.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        error.ToString().Should().NotContain("t0ken").And.NotContain("qu3ry").And.NotContain("c00kie").And.NotContain("b0dy");
        refusing.Requests.Single().Should().Contain("Authorization: Bearer t0ken\r\n");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_FailedResponse_LeavesNoConnectionBehind()
    {
        var ended = new TaskCompletionSource();
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"u8.ToArray(), stop);
            while (await stream.ReadAsync(new byte[16], stop) > 0)
            {
            }

            ended.SetResult();
        });
        await FailAsync(server.Uri);
        await ended.Task.WaitAsync(Until.Cancelled);
    }

    [Theory]
    [InlineData("ftp://host/")]
    [InlineData("ws://host/#fragment")]
    [InlineData("ws://user:password@host/")]
    [InlineData("/relative")]
    public async Task Connect_WrongUri_IsRefused(string uri) =>
        await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(new Uri(uri, UriKind.RelativeOrAbsolute), cancellationToken: Until.Cancelled)).Should().ThrowAsync<ArgumentException>();

    [Fact]
    public async Task Connect_InvokerWithItsOwnSettings_IsRefused()
    {
        using var invoker = new HttpClient();
        var options = new WebSocketClientOptions { Invoker = invoker, Cookies = new CookieContainer() };
        await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(new Uri("ws://127.0.0.1:1"), options, Until.Cancelled)).Should().ThrowAsync<InvalidOperationException>();
    }

    private static async Task<WebSocketConnectException> FailAsync(Uri uri, WebSocketClientOptions? options = null) =>
        (await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(uri, options, Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>()).Which;
}
