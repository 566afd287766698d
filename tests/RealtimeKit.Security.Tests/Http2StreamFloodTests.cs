using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, HTTP/2 stream floods under RFC 8441: many WebSockets over one connection, or the same one begun and reset again and again.</summary>
public class Http2StreamFloodTests
{
    [Theory(Timeout = Until.Bound), InlineData(100, null, true), InlineData(1000, 100, true), InlineData(1000, null, false)]
    public async Task Streams_OverTheLimit_AreRefused(int hostsLimit, int? ours, bool isLimited)
    {
        const int Streams = 150;
        var open = 0;
        await using var server = await StartAsync(() => Interlocked.Increment(ref open), hostsLimit, ours);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawHttp2.OpenAsync(server.Port);
        for (var i = 0; i < Streams; i++)
            peer.Connect((2 * i) + 1);
        await peer.FlushAsync();
        var (accepted, refused) = (0, 0);
        var answered = new HashSet<int>();
        while (accepted + refused < Streams && await peer.ReceiveAsync() is { } frame)
        {
            if (frame.Type == 1 && frame.Payload[0] == 0x88)   // :status 200 (RFC 7541 appendix A)
                accepted++;
            else if (frame.Type is 1 or 3)   // 429, or RST_STREAM
                refused += answered.Add(frame.Stream) ? 1 : 0;
        }

        void AssertHeld() => accepted.Should().Be(100);
        if (isLimited)
            AssertHeld();
        else
            Proof.FailsWithoutTheLimit(AssertHeld);
        await Until.TrueAsync(() => Volatile.Read(ref open) == accepted);   // the answer leaves before the handler begins
        await bystander.IsServedAsync();
    }

    // CVE-2023-44487: a stream that is reset counts no more, so that the limit above never holds.
    [Fact(Timeout = Until.Bound)]
    public async Task Streams_ResetAtOnce_EndTheConnectionAndLeaveNothing()
    {
        var (begun, running) = (0, 0);
        await using var server = await Hosts.StartAsync(Wire.Http2, handler: async connection =>
        {
            Interlocked.Increment(ref begun);
            Interlocked.Increment(ref running);
            try
            {
                await foreach (var _ in connection.ReadAllAsync())
                {
                }
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        });
        await using var bystander = await Bystander.JoinAsync(server);
        var before = RetainedMemory.Measure();
        await using var peer = await RawHttp2.OpenAsync(server.Port);
        const int Streams = 20_000;
        try
        {
            for (var i = 0; i < Streams; i++)
            {
                peer.Connect((2 * i) + 1);
                peer.Reset((2 * i) + 1);
                if (i % 1000 == 999)
                    await peer.FlushAsync();   // many at once: a server that has a core to itself may be done with a hundred before the next come
            }
        }
        catch (IOException)
        {
            // The server has hung up.
        }

        while (await peer.ReceiveAsync() is { } frame && frame.Type != 7)   // GOAWAY
        {
        }

        begun.Should().BeLessThan(Streams);
        await Until.TrueAsync(() => Volatile.Read(ref running) == 0);
        RetainedMemory.Since(before).Should().BeLessThan(16 * RetainedMemory.MiB);
        await bystander.IsServedAsync();
    }

    [Theory(Timeout = Until.Bound), InlineData("websocket2"), InlineData("connect-udp"), InlineData("webtransport"), InlineData("web socket"), InlineData("")]
    public async Task Connect_WithAnotherProtocol_IsRefused(string protocol)
    {
        var open = 0;
        await using var server = await StartAsync(() => open++, 100);
        await using var bystander = await Bystander.JoinAsync(server);
        AssertRefused(await StatusAsync(server, protocol));
        var right = await StatusAsync(server, "websocket");
        Proof.FailsWithoutTheLimit(() => AssertRefused(right));
        await Until.TrueAsync(() => Volatile.Read(ref open) == 1);   // the handler begins behind the answer
        server.Logs.Ours.Should().NotContain(record => record.Exception != null);
        await bystander.IsServedAsync();

        static void AssertRefused(bool isAccepted) => isAccepted.Should().BeFalse();
    }

    // More headers than the host takes: one stream's trouble, or the connection's, never the server's.
    [Fact(Timeout = Until.Bound)]
    public async Task Connect_WithHugeHeaders_IsRefused()
    {
        var open = 0;
        await using var server = await StartAsync(() => open++, 100);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawHttp2.OpenAsync(server.Port);
        peer.EndHeaders = false;
        peer.Connect(1, "/ws", "websocket", [.. Enumerable.Range(0, 90).Select(i => ($"x-{i}", new string('x', 120)))]);
        for (var i = 0; i < 100; i++)
            peer.Frame(9, 0, 1, new byte[10_000]);   // CONTINUATION that never ends the block
        try
        {
            await peer.FlushAsync();
        }
        catch (IOException)
        {
            // The server has hung up.
        }

        while (await peer.ReceiveAsync() is not null)
        {
        }

        open.Should().Be(0);
        await bystander.IsServedAsync();
    }

    private static async Task<bool> StatusAsync(TestServerHost server, string protocol)
    {
        await using var peer = await RawHttp2.OpenAsync(server.Port);
        peer.Connect(1, "/ws", protocol);
        await peer.FlushAsync();
        while (await peer.ReceiveAsync() is { } frame)
        {
            if (frame.Type == 1)
                return frame.Payload[0] == 0x88;
            if (frame.Type is 3 or 7)
                return false;
        }

        return false;
    }

    private static Task<TestServerHost> StartAsync(Action opened, int limit, int? ours = 100) => TestServerHost.StartAsync(
        Wire.Http2,
        app =>
        {
            app.MapWebSocket("/ws", connection =>
            {
                opened();
                return Handlers.EchoAsync(connection);
            });
            app.MapWebSocket("/echo", Handlers.EchoAsync);
        },
        builder => builder.Services.AddRealtime(options => options.MaxWebSocketsPerHttp2Connection = ours),
        kestrel => kestrel.Limits.Http2.MaxStreamsPerConnection = limit);
}
