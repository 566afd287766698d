using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.Docs.Tests;

/// <summary>What every proxy of docs/proxies.md must pass on, over TLS.</summary>
public abstract class ProxyCases<TFixture>(TFixture proxy) : IClassFixture<TFixture>
    where TFixture : ProxyFixture
{
    [Fact(Timeout = Until.Bound)]
    public async Task WebSocket_Messages_AreEchoed()
    {
        using var socket = await ConnectAsync("/echo");
        await EchoAsync(socket, WebSocketMessageType.Text, "hällo"u8.ToArray());
        await EchoAsync(socket, WebSocketMessageType.Binary, [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)]);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task WebSocket_OverHttp2_IsEchoed()
    {
        SkipIfMissing();
        Assert.SkipUnless(proxy.HasHttp2WebSockets, "this proxy does not offer extended CONNECT (RFC 8441)");
        using var socket = new ClientWebSocket { Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };
        using var handler = NewHandler();
        using var invoker = new HttpMessageInvoker(handler);
        await socket.ConnectAsync(Address("wss", "/echo"), invoker, Until.Cancelled);
        await EchoAsync(socket, WebSocketMessageType.Text, "over HTTP/2"u8.ToArray());
    }

    [Fact(Timeout = Until.Bound)]
    public async Task WebSocket_CloseOfTheServer_ReachesTheClient()
    {
        var closed = Backend.Closed[$"server-{proxy.Port}"] = new();
        using var socket = await ConnectAsync($"/close?id=server-{proxy.Port}");
        await socket.SendAsync("close"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Until.Cancelled);
        var result = await socket.ReceiveAsync(new byte[100], Until.Cancelled);
        (result.CloseStatus, result.CloseStatusDescription).Should().Be(((WebSocketCloseStatus)4001, "the server's words"));
        await socket.CloseOutputAsync((WebSocketCloseStatus)4001, null, Until.Cancelled);
        (await closed.Task).IsClean.Should().BeTrue();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task WebSocket_CloseOfTheClient_ReachesTheServer()
    {
        var closed = Backend.Closed[$"client-{proxy.Port}"] = new();
        using var socket = await ConnectAsync($"/close?id=client-{proxy.Port}");
        await socket.CloseAsync((WebSocketCloseStatus)4002, "the client's words", Until.Cancelled);
        var result = await closed.Task;
        (result.Status, result.Reason, result.IsClean).Should().Be(((WebSocketCloseStatus)4002, "the client's words", true));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Events_First_ArrivesWhileTheStreamIsOpen()
    {
        await using var stream = await OpenAsync("/hold");
        (await stream.ReadAsync()).Data.Should().Be("first");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Events_OverHttp2_ArriveOnManyStreams()
    {
        SkipIfMissing();
        Assert.SkipUnless(proxy.HasHttp2, "this proxy does not offer HTTP/2");
        using var http = new HttpClient(NewHandler()) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var streams = new List<EventReader>();
        for (var i = 0; i < 10; i++)
            streams.Add(await EventReader.OpenAsync(http, Address("https", "/hold")));
        foreach (var stream in streams)
        {
            (await stream.ReadAsync()).Data.Should().Be("first");
            stream.Response.Version.Should().Be(HttpVersion.Version20);
            await stream.DisposeAsync();
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Events_LostConnections_Resume()
    {
        string? last = null;
        for (var (connection, number) = (0, 1); connection < 3; connection++)
        {
            await using var stream = await OpenAsync("/count", last);
            for (var i = 0; i < 3; i++, number++)
            {
                var item = await stream.ReadAsync();
                item.Data.Should().Be($"event {number}");
                last = item.EventId;
            }
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Events_ClientGone_IsToldToTheApplication()
    {
        var gone = Backend.Gone[$"gone-{proxy.Port}"] = new();
        await using (var stream = await OpenAsync($"/hold?id=gone-{proxy.Port}"))
            await stream.ReadAsync();
        await gone.Task;
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Topics_OverBoth_ArriveAndResume()
    {
        var topic = $"scores/{proxy.Port}";
        using var socket = await ConnectAsync($"/live?topic={topic}");
        string? last;
        await using (var stream = await OpenAsync($"/live?topic={topic}"))
        {
            await proxy.Application.Hub.PublishAsync(topic, "1:0", cancellationToken: Until.Cancelled);
            var item = await stream.ReadAsync(topic);
            item.Data.Should().Be("1:0");
            last = item.EventId;
        }

        await proxy.Application.Hub.PublishAsync(topic, "2:0", cancellationToken: Until.Cancelled);
        await using var again = await OpenAsync($"/live?topic={topic}", last);
        (await again.ReadAsync(topic)).Data.Should().Be("2:0");
        var buffer = new byte[100];
        foreach (var expected in new[] { "1:0", "2:0" })
        {
            var result = await socket.ReceiveAsync(buffer, Until.Cancelled);
            Encoding.UTF8.GetString(buffer, 0, result.Count).Should().Be(expected);
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_OfAPageOverTls_IsTheApplicationsOwn()
    {
        var page = $"https://localhost:{proxy.Port}";
        using var socket = await ConnectAsync("/echo", page);
        await EchoAsync(socket, WebSocketMessageType.Text, "same origin"u8.ToArray());
        (await RefusalAsync("/echo", "https://elsewhere.example")).Should().Be(HttpStatusCode.Forbidden);
        if (!proxy.PassesSchemeOn)
            (await RefusalAsync("/bare/echo", page)).Should().Be(HttpStatusCode.Forbidden, "without the forwarded headers the application believes in http");
        await using var stream = await OpenAsync("/hold", configure: request => request.Headers.Add("Origin", page));
        (await stream.ReadAsync()).Data.Should().Be("first");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Idle_WithHeartbeats_OutlivesTheTimeout()
    {
        // They outlive two others without heartbeats, one after the other, without a word of the application.
        using var socket = await ConnectAsync("/echo");
        var echo = ReceiveAsync(socket);
        await using var stream = await OpenAsync("/live?topic=idle");
        (await stream.ReadAsync()).EventType.Should().Be("stream");
        await using (var silent = await OpenAsync("/silent"))
            (await silent.HasEndedAsync()).Should().BeTrue("without heartbeats the proxy cuts it off");

        using var mute = await ConnectAsync("/mute");
        (await ReceiveAsync(mute)).Should().BeNull("without pings the proxy cuts it off");

        await proxy.Application.Hub.PublishAsync("idle", "still there", cancellationToken: Until.Cancelled);
        (await stream.ReadAsync("idle")).Data.Should().Be("still there");
        await socket.SendAsync("still there"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Until.Cancelled);
        (await echo).Should().Be("still there");
    }

    private static SocketsHttpHandler NewHandler() => new() { SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsOurs }, UseProxy = false };

    private static async Task EchoAsync(ClientWebSocket socket, WebSocketMessageType type, byte[] message)
    {
        await socket.SendAsync(message, type, endOfMessage: true, Until.Cancelled);
        var (buffer, length) = (new byte[message.Length + 1], 0);
        ValueWebSocketReceiveResult result;
        do
        {
            result = await socket.ReceiveAsync(buffer.AsMemory(length), Until.Cancelled);
            length += result.Count;
        }
        while (!result.EndOfMessage);
        result.MessageType.Should().Be(type);
        buffer.AsSpan(0, length).SequenceEqual(message).Should().BeTrue();
    }

    /// <summary>The next message as text; <see langword="null"/> where the connection is lost.</summary>
    private static async Task<string?> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[100];
        try
        {
            var result = await socket.ReceiveAsync(buffer, Until.Cancelled);
            return result.MessageType == WebSocketMessageType.Close ? null : Encoding.UTF8.GetString(buffer, 0, result.Count);
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    private Uri Address(string scheme, string path) => new($"{scheme}://localhost:{proxy.Port}{path}");

    private void SkipIfMissing() => Assert.SkipWhen(proxy.Missing is not null, proxy.Missing ?? "");

    private async Task<ClientWebSocket> ConnectAsync(string path, string? origin = null)
    {
        SkipIfMissing();
        var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = TestCertificate.IsOurs;
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin);
        try
        {
            await socket.ConnectAsync(Address("wss", path), Until.Cancelled);
        }
        catch (WebSocketException exception)
        {
            exception.Data["Status"] = socket.HttpStatusCode;
            socket.Dispose();
            throw;
        }

        return socket;
    }

    private async Task<HttpStatusCode> RefusalAsync(string path, string origin)
    {
        var connect = () => ConnectAsync(path, origin);
        return (HttpStatusCode)(await connect.Should().ThrowAsync<WebSocketException>()).Which.Data["Status"]!;
    }

    private async Task<EventReader> OpenAsync(string path, string? lastEventId = null, Action<HttpRequestMessage>? configure = null)
    {
        SkipIfMissing();
        return await EventReader.OpenAsync(new HttpClient(NewHandler()), Address("https", path), lastEventId, configure, ownsClient: true);
    }
}
