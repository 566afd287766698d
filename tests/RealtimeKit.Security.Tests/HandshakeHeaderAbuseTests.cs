using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, handshake header abuse: too many headers, too long ones, ones that never end, ones that are missing, ones that are not ASCII.</summary>
public class HandshakeHeaderAbuseTests
{
    private const string Accepted = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n";

    private static string[] Names => ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];

    [Theory(Timeout = Until.Bound), InlineData(16, true), InlineData(64 * 1024, false)]
    public async Task Client_HeadersThatNeverEnd_StopsAtItsLimit(int maxKiB, bool isLimited)
    {
        long sent = 0;
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 101 X\r\n"u8.ToArray(), stop);
            var line = Encoding.ASCII.GetBytes($"X-Header: {new string('x', 1000)}\r\n");
            while (Interlocked.Add(ref sent, line.Length) < 16 << 20)
                await stream.WriteAsync(line, stop);
            await stream.WriteAsync("\r\n"u8.ToArray(), stop);
        });
        var error = await FailAsync(server.Uri, new WebSocketClientOptions { Handshake = { MaxHeaderBytes = maxKiB * 1024 }, MaxResponseHeaders = int.MaxValue });
        void AssertHeld()
        {
            error.RequestError.Should().Be(HttpRequestError.ConfigurationLimitExceeded);
            Interlocked.Read(ref sent).Should().BeLessThan(8 << 20, "what a client does not read fills the sockets' buffers only");
        }

        if (isLimited)
            AssertHeld();
        else
            Proof.FailsWithoutTheLimit(AssertHeld);
    }

    [Theory(Timeout = Until.Bound), InlineData(64, true), InlineData(100_000, false)]
    public async Task Client_ManyHeaders_RefusesThem(int limit, bool isLimited)
    {
        await using var server = new RawServer(Accepted + string.Concat(Enumerable.Range(0, 1000).Select(i => $"X-{i}: 1\r\n")) + "\r\n");
        var options = new WebSocketClientOptions { MaxResponseHeaders = limit, Connection = { CloseTimeout = TimeSpan.FromMilliseconds(50) } };
        if (isLimited)
        {
            (await FailAsync(server.Uri, options)).HandshakeError.Should().Be(WebSocketHandshakeError.HeadersTooLarge);
            return;
        }

        await using var connection = await WebSocketClient.ConnectAsync(server.Uri, options, Until.Cancelled);
        connection.State.Should().Be(WebSocketState.Open, "the limit alone stood between");
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Client_AnswerThatTrickles_EndsAtItsDeadline(bool isLimited)
    {
        await using var server = new RawServer(async (_, stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 101 X\r\nX-Slow: "u8.ToArray(), stop);
            while (true)
            {
                await stream.WriteAsync("x"u8.ToArray(), stop);
                await Task.Delay(20, stop);
            }
        });
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var options = new WebSocketClientOptions { Connection = { TimeProvider = time } };
        if (!isLimited)
            options.ConnectTimeout = Timeout.InfiniteTimeSpan;
        using var cancel = new CancellationTokenSource();
        var connecting = WebSocketClient.ConnectAsync(server.Uri, options, cancel.Token);
        await Until.TrueAsync(() => server.Requests.Count == 1);
        time.Advance(TimeSpan.FromSeconds(11));
        if (isLimited)
        {
            (await FluentActions.Awaiting(() => connecting).Should().ThrowAsync<WebSocketConnectException>()).Which.IsTimeout.Should().BeTrue();
            return;
        }

        await Task.Delay(200, Until.Cancelled);
        connecting.IsCompleted.Should().BeFalse("nothing but the deadline ends it");
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => connecting).Should().ThrowAsync<OperationCanceledException>();
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Server_HeadersOver16KiB_Are431(bool isLimited)
    {
        foreach (var header in new[] { "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key" })
        {
            var status = await SendAsync($"{header}: {new string('a', 20_000)}", isLimited ? 16 * 1024 : 1 << 20, 1 << 20, 64);
            void AssertRefused() => status.Should().Be(431);
            if (isLimited)
                AssertRefused();
            else
                Proof.FailsWithoutTheLimit(AssertRefused);
        }
    }

    // 4 MiB each, every limit off: a scan that is not linear would still be at it when the test's time is over.
    [Theory(Timeout = Until.Bound)]
    [InlineData("Sec-WebSocket-Protocol", "a,")]
    [InlineData("Sec-WebSocket-Protocol", " ")]
    [InlineData("Sec-WebSocket-Protocol", ", ")]
    [InlineData("Sec-WebSocket-Protocol", "a ")]
    [InlineData("Sec-WebSocket-Extensions", "a;")]
    [InlineData("Sec-WebSocket-Extensions", "permessage-deflate,")]
    [InlineData("Sec-WebSocket-Extensions", "a;b=\"\\\\\\\\")]
    [InlineData("Sec-WebSocket-Extensions", ";")]
    [InlineData("Connection", "upgrade ,")]
    [InlineData("Upgrade", "a,")]
    public async Task Server_LongList_TakesLinearTime(string header, string piece)
    {
        var value = new StringBuilder();
        while (value.Length < 4 << 20)
            value.Append(piece);
        (await SendAsync($"{header}: x{value}", int.MaxValue, int.MaxValue, int.MaxValue)).Should().BeOneOf(101, 400, 426);
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Server_SubProtocolsOfThousands_Are431(bool isLimited)
    {
        var status = await SendAsync("Sec-WebSocket-Protocol: " + string.Join(',', Enumerable.Range(0, 2000).Select(i => $"p{i}")), 1 << 20, 1 << 20, isLimited ? 64 : int.MaxValue);
        status.Should().Be(isLimited ? 431 : 101);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("Sec-WebSocket-Protocol: ch\u00e4t")]
    [InlineData("Sec-WebSocket-Protocol: \u4f60\u597d")]
    [InlineData("Sec-WebSocket-Protocol: \u00ff\u00fe")]
    [InlineData("Sec-WebSocket-Protocol: a\u0001b")]
    [InlineData("Sec-WebSocket-Protocol: chat, ")]
    [InlineData("Sec-WebSocket-Protocol: \"chat\"")]
    [InlineData("Sec-WebSocket-Protocol: chat/2")]
    [InlineData("Sec-WebSocket-Extensions: permessage-d\u00e9flate")]
    [InlineData("Sec-WebSocket-Key: \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4")]
    public async Task Server_NotAToken_IsRefusedOrDeclined(string header)
    {
        foreach (var encoding in new[] { Encoding.UTF8, Encoding.Latin1 })
            (await SendAsync(header, 16 * 1024, 32 * 1024, 64, encoding)).Should().BeOneOf(400, 101);
    }

    // Each without one of the headers, and each with one of them twice.
    [Fact(Timeout = Until.Bound)]
    public async Task Server_HeaderMissingOrTwice_Is400Or426()
    {
        await using var server = await Hosts.StartAsync(Wire.Pipes);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var listener = ListenerHost.Start(static router => router.MapWebSocket("/ws", Handlers.EchoAsync));
        foreach (var port in new[] { server.Port, listener.Port })
        {
            foreach (var missing in Names)
            {
                await using var peer = await RawWebSocket.OpenAsync(port, isTls: false);
                await peer.SendHeadAsync(Head(port, Names.Where(name => name != missing)));
                peer.StatusCode.Should().BeOneOf([400, 404, 405, 426], $"{missing} is missing");
            }

            // HttpListener shows the last line of a name only (its parser overwrites the others).
            foreach (var twice in port == server.Port ? Names.Skip(2) : [])
            {
                await using var peer = await RawWebSocket.OpenAsync(port, isTls: false);
                await peer.SendHeadAsync(Head(port, [.. Names, twice]));
                peer.StatusCode.Should().BeOneOf([400, 426], $"{twice} stands twice");
            }

            // The proof that the assertions above can fail.
            await using var fine = await RawWebSocket.OpenAsync(port, isTls: false);
            await fine.SendHeadAsync(Head(port, Names));
            fine.StatusCode.Should().Be(101);
        }

        server.Logs.All.Should().NotContain(record => record.Exception is NullReferenceException);
        listener.Logs.All.Should().NotContain(record => record.Exception is NullReferenceException);
        await bystander.IsServedAsync();
        await listener.IsServedAsync();
    }

    // The framework reads HttpListener's requests; what it lets through, the adapter checks.
    [Theory(Timeout = Until.Bound)]
    [InlineData("Sec-WebSocket-Protocol: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", 431)]
    [InlineData("Sec-WebSocket-Protocol: ch\u00e4t", 400)]
    [InlineData("Sec-WebSocket-Protocol: a b", 400)]
    [InlineData("Sec-WebSocket-Extensions: ;;", 400)]
    [InlineData("X-Nothing: 1", 101)]
    public async Task HttpListener_HeaderThatIsNoList_IsRefused(string header, int status)
    {
        await using var listener = ListenerHost.Start(static router => router.MapWebSocket("/ws", Handlers.EchoAsync));
        await using var peer = await RawWebSocket.OpenAsync(listener.Port, isTls: false);
        await peer.SendHeadAsync(Head(listener.Port, [.. Names, header]));
        peer.StatusCode.Should().Be(status);
        await listener.IsServedAsync();
    }

    private static string Head(int port, IEnumerable<string> headers) => $"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + string.Concat(headers.Select(header => header + "\r\n"));

    private static async Task<WebSocketConnectException> FailAsync(Uri uri, WebSocketClientOptions options) =>
        (await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(uri, options, Until.Cancelled)).Should().ThrowAsync<WebSocketConnectException>()).Which;

    private static async Task<int> SendAsync(string header, int maxHeaderBytes, int maxTotalBytes, int maxListElements, Encoding? encoding = null)
    {
        var options = new WebSocketEndpointOptions { Compression = new(), SubProtocols = ["chat"], Handshake = { MaxHeaderBytes = maxHeaderBytes, MaxListElements = maxListElements } };
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.MapWebSocket("/ws", options, Handlers.EchoAsync);
                app.MapWebSocket("/echo", Handlers.EchoAsync);
            },
            kestrel: kestrel =>
            {
                kestrel.Limits.MaxRequestHeadersTotalSize = maxTotalBytes;
                kestrel.Limits.MaxRequestBufferSize = Math.Max(maxTotalBytes, 1 << 20);
            });
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        var name = header[..header.IndexOf(':')];
        var head = Head(server.Port, [.. Names.Where(line => !line.StartsWith(name + ':', StringComparison.Ordinal)), header]) + "\r\n";
        await peer.Stream.WriteAsync((encoding ?? Encoding.ASCII).GetBytes(head), Until.Cancelled);
        var buffer = new byte[4096];
        var count = await peer.Stream.ReadAsync(buffer, Until.Cancelled);
        var status = int.Parse(Encoding.ASCII.GetString(buffer, 0, count).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        await bystander.IsServedAsync();
        server.Logs.Ours.Should().NotContain(record => record.Exception != null);
        return status;
    }
}
