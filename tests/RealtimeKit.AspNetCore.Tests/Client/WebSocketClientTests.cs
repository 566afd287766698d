using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

public class WebSocketClientTests
{
    public static TheoryData<Wire> AllWires => Wires.All;

    /// <summary>The wires that differ for a server of the framework's own.</summary>
    public static TheoryData<Wire> FrameworkWires => [Wire.Stream, Wire.StreamTls, Wire.Http2, Wire.Http2Tls];

    internal static WebSocketClientOptions OptionsFor(Wire wire) => new()
    {
        HttpVersion = wire.IsHttp2() ? HttpVersion.Version20 : HttpVersion.Version11,
        HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        SslOptions = wire.IsTls() ? new() { RemoteCertificateValidationCallback = TestCertificate.IsOurs } : null,
    };

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Echo_OurServer_GetsEveryMessageBack(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        await EchoAsync(client);
        (await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Until.Cancelled))
            .Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Local, true));
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.Ours.Should().Contain(record => record.Event.Name == "Closed" && record.Message.Contains("1000 by Remote, clean: True"));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(FrameworkWires))]
    public async Task Echo_FrameworkServer_GetsEveryMessageBack(Wire wire)
    {
        var closed = new TaskCompletionSource<(WebSocketCloseStatus?, string?)>();
        await using var server = await TestServerHost.StartAsync(wire, app => MapFrameworkEcho(app, closed));
        await using (var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled))
            await EchoAsync(client);
        (await closed.Task).Should().Be((WebSocketCloseStatus.NormalClosure, ""), "disposing an open connection closes it with 1000");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Close_ByTheServer_EndsTheSequence(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await connection.SendAsync("last");
            await connection.CloseAsync((WebSocketCloseStatus)4001, "enough");
        });
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        var received = new List<string>();
        await foreach (var message in client.ReadAllAsync(Until.Cancelled))
            received.Add(message.GetText());
        received.Should().Equal("last");
        client.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)4001, "enough", WebSocketCloseInitiator.Remote, true));
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Abort_Client_EndsTheServersConnection(Wire wire)
    {
        var ended = new TaskCompletionSource<WebSocketCloseResult?>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await connection.SendAsync("hello");
            await connection.ReceiveAsync();
            ended.SetResult(connection.CloseResult);
        });
        var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("hello");
        client.Abort();
        var result = await ended.Task;
        result!.Value.Initiator.Should().Be(WebSocketCloseInitiator.Network);
        await client.DisposeAsync();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Receive_Cancelled_LeavesTheConnectionOpen(Wire wire)
    {
        // The trap of SocketsHttpHandler's 101 stream: a read that is cancelled takes the connection along.
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        for (var i = 0; i < 5; i++)
        {
            using var cancel = new CancellationTokenSource();
            var receive = client.ReceiveAsync(cancel.Token).AsTask();
            await cancel.CancelAsync();
            await FluentActions.Awaiting(() => receive).Should().ThrowAsync<OperationCanceledException>();
            await client.SendAsync($"message {i}", Until.Cancelled);
            (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be($"message {i}");
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Ping_ToAServer_GivesTheRoundTripTime(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        (await client.PingAsync(Until.Cancelled)).Should().BePositive();
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Send_Alone_ArrivesWithoutAnotherSend(Wire wire)
    {
        // Over HTTP/2 a write stays in the client's buffer until it is flushed.
        var received = System.Threading.Channels.Channel.CreateUnbounded<string>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await foreach (var message in connection.ReadAllAsync())
                received.Writer.TryWrite(message.GetText());
        });
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        for (var i = 0; i < 20; i++)
        {
            await client.SendAsync($"{i}", Until.Cancelled);
            (await received.Reader.ReadAsync(Until.Cancelled)).Should().Be($"{i}");
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task SubProtocolAndHeaders_AreExchanged(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapWebSocket(
            "/ws", new WebSocketEndpointOptions { SubProtocols = ["b"] }, async (connection, http) =>
                await connection.SendAsync($"{connection.SubProtocol} {http.Request.Headers.Authorization} {http.Request.Headers["X-One"]}")));
        var options = OptionsFor(wire);
        options.SubProtocols = ["a", "b"];
        options.SetHeader("Authorization", "Bearer t0ken");
        options.SetHeader("X-One", "1");
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        client.SubProtocol.Should().Be("b");
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("b Bearer t0ken 1");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task OnAccepted_Set_SeesTheResponsesHeaders(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.Use((http, next) =>
            {
                http.Response.Headers["X-Node"] = "seven";
                return next(http);
            });
            app.MapWebSocket("/ws", Handlers.EchoAsync);
        });
        string? node = null;
        var options = OptionsFor(wire);
        options.OnAccepted = headers => node = headers.GetValues("X-Node").Single();
        await using (await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled))
            node.Should().Be("seven");

        options.OnAccepted = _ => throw new InvalidOperationException("not this node");
        await options.Invoking(options => WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled))
            .Should().ThrowAsync<InvalidOperationException>().WithMessage("not this node");
        await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Event.Name == "Closed") == 2);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.PipesTls), InlineData(Wire.Http2Tls)]
    public async Task Cookies_AreSentAndKept(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app =>
        {
            app.Use((http, next) =>
            {
                http.Response.Cookies.Append("seen", "yes");
                return next(http);
            });
            app.MapWebSocket("/ws", async (connection, http) => await connection.SendAsync($"{http.Request.Cookies["session"]} {http.Request.Cookies["seen"]}"));
        });
        var cookies = new CookieContainer();
        cookies.Add(server.HttpUri(), new Cookie("session", "42") { Secure = wire.IsTls() });
        var options = OptionsFor(wire);
        options.Cookies = cookies;
        await using (var first = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled))
            (await first.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("42 ");
        await using (var second = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled))
            (await second.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("42 yes");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Credentials_BasicChallenge_IsAnswered()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.Use(async (http, next) =>
            {
                if (http.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("ada:secret"u8))
                {
                    await next(http);
                    return;
                }

                http.Response.StatusCode = 401;
                http.Response.Headers.WWWAuthenticate = "Basic realm=\"test\"";
            });
            app.MapWebSocket("/ws", Handlers.EchoAsync);
        });
        var options = OptionsFor(Wire.Pipes);
        options.Credentials = new NetworkCredential("ada", "secret");
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        await client.SendAsync("in", Until.Cancelled);
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("in");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task HttpVersion2_ServerWithHttp1Only_FallsBackOrFails()
    {
        await using var server = await TestServerHost.StartAsync(Wire.PipesTls, app => app.MapWebSocket("/ws", async (connection, http) => await connection.SendAsync(http.Request.Protocol)));
        var options = OptionsFor(Wire.Http2Tls);
        options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        await using (var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled))
            (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("HTTP/1.1");

        options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var error = (await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>()).Which;
        error.RequestError.Should().Be(HttpRequestError.SecureConnectionError, "TLS ends where no protocol is common to both (RFC 7301 §3.2)");
        error.IsTransient.Should().BeFalse();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task HttpVersionOrHigher_ServerWithHttp2_UsesIt()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Http2Tls, app => app.MapWebSocket("/ws", async (connection, http) => await connection.SendAsync(http.Request.Protocol)));
        var options = OptionsFor(Wire.PipesTls);
        options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionOrHigher;
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("HTTP/2");
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes, true), InlineData(Wire.Pipes, false), InlineData(Wire.Http2, true), InlineData(Wire.Http2Tls, false)]
    public async Task Invoker_Shared_ServesManyConnections(Wire wire, bool isHttpClient)
    {
        var connections = new HashSet<string>();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapWebSocket("/ws", async (connection, http) =>
        {
            lock (connections)
                connections.Add(http.Connection.Id);
            await Handlers.EchoAsync(connection);
        }));
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsOurs } };
        using var invoker = isHttpClient ? new HttpClient(handler) : new HttpMessageInvoker(handler);
        var options = OptionsFor(wire);
        options.SslOptions = null;
        options.Invoker = invoker;
        var clients = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled)));
        for (var i = 0; i < clients.Length; i++)
        {
            await clients[i].SendAsync($"{i}", Until.Cancelled);
            (await clients[i].ReceiveAsync(Until.Cancelled)).GetText().Should().Be($"{i}");
        }

        connections.Should().HaveCount(wire.IsHttp2() ? 1 : 10, "over HTTP/2 they share a TCP connection");
        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_HttpScheme_MeansTheSame()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        await using var client = await WebSocketClient.ConnectAsync(server.HttpUri(), cancellationToken: Until.Cancelled);
        client.State.Should().Be(WebSocketState.Open);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Connect_ClientCertificate_IsSent()
    {
        var seen = new TaskCompletionSource<string?>();
        await using var server = await TestServerHost.StartAsync(
            Wire.PipesTls,
            app => app.MapWebSocket("/ws", (_, http) =>
            {
                seen.SetResult(http.Connection.ClientCertificate?.Thumbprint);
                return Task.CompletedTask;
            }),
            kestrel: options => options.ConfigureHttpsDefaults(https =>
            {
                https.ClientCertificateMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            }));
        var options = OptionsFor(Wire.PipesTls);
        options.SslOptions!.ClientCertificates = [TestCertificate.Instance];
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        (await seen.Task).Should().Be(TestCertificate.Instance.Thumbprint);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.PipesTls), InlineData(Wire.Http2Tls)]
    public async Task Proxy_ConnectTunnel_CarriesTheConnection(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var proxy = ConnectProxy.Start();
        var options = OptionsFor(wire);
        options.Proxy = new WebProxy($"http://127.0.0.1:{proxy.Port}");
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), options, Until.Cancelled);
        await EchoAsync(client);
        proxy.Requests.Should().ContainSingle().Which.Should().StartWith($"CONNECT 127.0.0.1:{server.Port} HTTP/1.1\r\n");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Echo_ManyClientsAndSenders_LosesNothing(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        await using var client = await WebSocketClient.ConnectAsync(server.Uri(), OptionsFor(wire), Until.Cancelled);
        const int Senders = 8;
        const int Each = 200;
        var send = Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await client.SendAsync(Encoding.ASCII.GetBytes($"{sender} {i} {new string('x', i * 7)}"), WebSocketMessageType.Binary, Until.Cancelled);
        })));
        var next = new int[Senders];
        for (var i = 0; i < Senders * Each; i++)
        {
            var parts = (await client.ReceiveAsync(Until.Cancelled)).GetText().Split(' ');
            var sender = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
            parts[1].Should().Be($"{next[sender]}");
            parts[2].Should().HaveLength(next[sender]++ * 7);
        }

        await send;
    }

    private static async Task EchoAsync(WebSocketConnection client)
    {
        foreach (var size in (int[])[0, 1, 125, 126, 4096, 65_535, 65_536, 1 << 20])
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            await client.SendAsync(payload, WebSocketMessageType.Binary, Until.Cancelled);
            var message = await client.ReceiveAsync(Until.Cancelled);
            message.Type.Should().Be(WebSocketMessageType.Binary);
            message.ToArray().AsSpan().SequenceEqual(payload).Should().BeTrue($"{size} bytes come back as they were sent");
        }

        await client.SendAsync("Hällo", Until.Cancelled);
        (await client.ReceiveAsync(Until.Cancelled)).GetText().Should().Be("Hällo");
    }

    private static void MapFrameworkEcho(WebApplication app, TaskCompletionSource<(WebSocketCloseStatus?, string?)> closed)
    {
        app.UseWebSockets();
        app.Map("/ws", async (HttpContext http) =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            while (true)
            {
                var (type, payload) = await socket.ReceiveMessageAsync();
                if (type == WebSocketMessageType.Close)
                    break;
                await socket.SendAsync(payload, type, true, Until.Cancelled);
            }

            closed.SetResult((socket.CloseStatus, socket.CloseStatusDescription));
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        });
    }
}
