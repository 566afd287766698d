using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeKit.Security.Tests;

/// <summary>
/// SECURITY.md, the WebSockets of many clients over a proxy's one HTTP/2 connection: what a server does not read of one that it ends must
/// come back to the window that all share (RFC 9113 §5.2), or the others can send no more.
/// </summary>
public class SharedHttp2ConnectionTests
{
    /// <summary>Why a server ends a WebSocket whose peer goes on sending.</summary>
    public enum Ending
    {
        MessageTooBig,
        TooManyMessages,
        TooManyBytes,
        Shed,
        Expired,
        HandlerReturns,
        HandlerThrows,
        HandlerAborts,
        OriginRefused,
        NotFound,
        PeerCloses,
    }

    public static TheoryData<Ending, bool> Endings => new MatrixTheoryData<Ending, bool>(Enum.GetValues<Ending>(), [true, false]);

    [Theory(Timeout = Until.Bound), MemberData(nameof(Endings))]
    public async Task Ending_OfAPeerThatGoesOnSending_GivesTheSharedWindowBack(Ending ending, bool peerReads)
    {
        const int Floods = 4;
        var leave = new TaskCompletionSource();
        await using var server = await StartAsync(ending, leave.Task);
        await using var peer = await MultiplexingPeer.OpenAsync(server.Port, peerReads);
        var bystander = await peer.ConnectAsync("/echo");
        await peer.GrantAsync(bystander, 1 << 20);
        await EchoAsync(peer, bystander, 1);
        for (var i = 0; i < Floods; i += 2)
        {
            // Two streams' windows are more than the connection's.
            var floods = new[] { await FloodAsync(peer, ending), await FloodAsync(peer, ending) };
            if (ending is Ending.HandlerReturns or Ending.HandlerThrows or Ending.HandlerAborts && i == 0)
            {
                await Until.TrueAsync(() => peer.Window == 0);
                leave.SetResult();
            }

            foreach (var (stream, sending) in floods)
            {
                await Until.TrueAsync(() => stream.IsEnded);
                await sending;
            }
        }

        // Kestrel gives back what it owes once that is half the window.
        await Until.TrueAsync(() => peer.Outstanding <= peer.FullWindow / 2 || !peer.IsOpen);
        await EchoAsync(peer, bystander, 200_000);
        peer.GoAway.Should().Be(-1, "one peer's end is not the others'");
    }

    // What it sends on its stream after the reset is dropped at no cost to the window, for as long as it can have been under way.
    [Fact(Timeout = Until.Bound)]
    public async Task Peer_ThatNeverStopsSending_IsHungUpOn()
    {
        await using var server = await StartAsync(Ending.MessageTooBig, Task.CompletedTask);
        await using var other = await MultiplexingPeer.OpenAsync(server.Port);
        var bystander = await other.ConnectAsync("/echo");
        await using var peer = await MultiplexingPeer.OpenAsync(server.Port);
        var (stream, sending) = await FloodAsync(peer, Ending.MessageTooBig);
        await sending;
        await Until.TrueAsync(() => stream.Reset >= 0);
        var before = RetainedMemory.Measure();
        var sent = 0L;
        while (await peer.SendRegardlessAsync(stream, new byte[16_384]))
        {
            sent += 16_384;
            if (sent % (64 << 20) == 0)
                RetainedMemory.Since(before).Should().BeLessThan(8 * RetainedMemory.MiB);
        }

        await Until.TrueAsync(() => !peer.IsOpen);
        peer.GoAway.Should().Be(5, "STREAM_CLOSED (RFC 9113 §7)");
        sent.Should().BePositive();
        await EchoAsync(other, bystander, 1000);
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Drain_OfPeersThatGoOnSending_EndsAllOfThem(bool peerReads)
    {
        await using var server = await StartAsync(Ending.HandlerReturns, new TaskCompletionSource().Task);
        await using var peer = await MultiplexingPeer.OpenAsync(server.Port, peerReads);
        var bystander = await peer.ConnectAsync("/echo");
        await peer.GrantAsync(bystander, 1 << 20);
        await EchoAsync(peer, bystander, 1);
        var (stream, sending) = await FloodAsync(peer, Ending.HandlerReturns);
        await Until.TrueAsync(() => stream.Window == 0);
        var stopping = server.App.StopAsync(Until.Cancelled);
        await sending;
        await Until.TrueAsync(() => stream.IsEnded && bystander.IsEnded);
        bystander.Received.Skip(3).Take(4).Should().Equal(0x88, 2, 1001 >> 8, 1001 & 0xFF);
        await peer.DisposeAsync();   // as one does that was told to go away and has no stream left
        await stopping;
    }

    // Kestrel's MinResponseDataRate is per connection over HTTP/2: five seconds of one that does not read would end all. WriteTimeout ends the one.
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task SlowReader_WithoutKestrelsDataRate_EndsItsOwnStreamAlone(bool isRecommended)
    {
        // Kestrel's deadline comes about a second before this one: where it is to end the connection, there is no other.
        var options = new WebSocketEndpointOptions { Connection = { WriteTimeout = isRecommended ? TimeSpan.FromSeconds(8) : Timeout.InfiniteTimeSpan } };
        await using var server = await TestServerHost.StartAsync(
            Wire.Http2,
            app =>
            {
                app.MapWebSocket("/ws", options, static async connection =>
                {
                    await connection.SendAsync(new byte[10_000], WebSocketMessageType.Binary);
                    await Handlers.EchoAsync(connection);
                });
                app.MapWebSocket("/echo", Handlers.EchoAsync);
            },
            kestrel: kestrel => kestrel.Limits.MinResponseDataRate = isRecommended ? null : kestrel.Limits.MinResponseDataRate);
        await using var peer = await MultiplexingPeer.OpenAsync(server.Port, givesWindows: false);
        var bystander = await peer.ConnectAsync("/echo");
        await peer.GrantAsync(bystander, 1 << 20);
        await EchoAsync(peer, bystander, 1);
        var slow = await peer.ConnectAsync("/ws");
        await Until.TrueAsync(() => slow.IsEnded);

        void AssertOthersAreServed() => peer.IsOpen.Should().BeTrue();
        if (!isRecommended)
        {
            await Until.TrueAsync(() => !peer.IsOpen);
            Proof.FailsWithoutTheLimit(AssertOthersAreServed);
            return;
        }

        AssertOthersAreServed();
        await EchoAsync(peer, bystander, 1000);
    }

    // A handler that does not read leaves what is sent to it in the window that all share: it must hold a stream's window for each of them.
    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task BusyHandlers_WithAWindowForEachStream_StallNobodyElse(bool isRecommended)
    {
        await using var server = await StartAsync(Ending.HandlerReturns, new TaskCompletionSource().Task, kestrel =>
        {
            if (!isRecommended)
                return;
            kestrel.Limits.Http2.InitialStreamWindowSize = 96 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 100 * 96 * 1024;   // MaxStreamsPerConnection
        });
        await using var peer = await MultiplexingPeer.OpenAsync(server.Port);
        var bystander = await peer.ConnectAsync("/echo");
        await EchoAsync(peer, bystander, 1);
        var floods = new List<(MultiplexingPeer.Http2Stream Stream, Task Sending)>();
        for (var i = 0; i < 50; i++)
            floods.Add(await FloodAsync(peer, Ending.HandlerReturns));
        // What their connections read ahead comes back: read once more, the window may not be empty any longer.
        var window = 0L;
        await Until.TrueAsync(() => (window = peer.Window) == 0 || floods.TrueForAll(static flood => flood.Stream.Window == 0));

        void AssertOthersAreServed() => window.Should().BePositive();
        if (isRecommended)
        {
            AssertOthersAreServed();
            await EchoAsync(peer, bystander, 200_000);
        }
        else
        {
            Proof.FailsWithoutTheLimit(AssertOthersAreServed);
        }

        await peer.DisposeAsync();
        await Task.WhenAll(floods.Select(static flood => flood.Sending));
    }

    private static async Task<(MultiplexingPeer.Http2Stream Stream, Task Sending)> FloodAsync(MultiplexingPeer peer, Ending ending)
    {
        var path = ending == Ending.NotFound ? "/nothing" : "/ws";
        var stream = ending == Ending.OriginRefused ? await peer.ConnectAsync(path, ("origin", "https://evil.example")) : await peer.ConnectAsync(path);
        return (stream, Task.Run(async () =>
        {
            var piece = ending switch
            {
                Ending.TooManyMessages => [.. Enumerable.Repeat(RawWebSocket.Text("x"), 10_000).SelectMany(static frame => frame)],
                Ending.PeerCloses => RawWebSocket.Close(1000),
                _ => RawWebSocket.Frame(2, new byte[60_000], isFinal: ending == Ending.TooManyBytes),
            };
            var isSent = await peer.SendAsync(stream, piece);
            if (ending is not (Ending.TooManyMessages or Ending.TooManyBytes))
                piece = RawWebSocket.Frame(0, new byte[60_000], isFinal: false);
            while (isSent)
                isSent = await peer.SendAsync(stream, piece);
        }));
    }

    private static async Task EchoAsync(MultiplexingPeer peer, MultiplexingPeer.Http2Stream stream, int length)
    {
        var echo = stream.Received.Count + length + (length switch { < 126 => 2, <= ushort.MaxValue => 4, _ => 10 });
        (await peer.SendAsync(stream, RawWebSocket.Frame(2, new byte[length]))).Should().BeTrue();
        await Until.TrueAsync(() => stream.Received.Count >= echo || stream.IsEnded);
        stream.IsEnded.Should().BeFalse();
    }

    private static Task<TestServerHost> StartAsync(Ending ending, Task leave, Action<KestrelServerOptions>? kestrel = null)
    {
        var options = new WebSocketEndpointOptions();
        options.Connection.CloseTimeout = TimeSpan.FromSeconds(1);
        options.Connection.MaxMessageSize = ending == Ending.MessageTooBig ? 200_000 : 1 << 30;
        switch (ending)
        {
            case Ending.TooManyMessages:
                options.Connection.MessagesPerSecond = 10;
                break;
            case Ending.TooManyBytes:
                options.Connection.BytesPerSecond = 100_000;
                break;
            case Ending.Shed:
                options.Connection.MemoryBudget = new RealtimeMemoryBudget(1 << 20);
                break;
        }

        return TestServerHost.StartAsync(
            Wire.Http2,
            app =>
            {
                if (ending == Ending.Expired)
                    app.Use(SignIn);
                app.MapWebSocket("/ws", options, HandleAsync);
                app.MapWebSocket("/echo", new WebSocketEndpointOptions { Connection = { CloseTimeout = TimeSpan.FromSeconds(1) } }, Handlers.EchoAsync);
            },
            builder => builder.Services.AddRealtime(realtime => realtime.ExpiryGrace = TimeSpan.Zero),
            kestrel);

        async Task HandleAsync(WebSocketConnection connection)
        {
            switch (ending)
            {
                case Ending.HandlerReturns:
                    await Task.WhenAny(leave, Task.Delay(Timeout.Infinite, connection.Closed));
                    break;
                case Ending.HandlerThrows:
                    await leave;
                    throw new InvalidOperationException("of the handler's own");
                case Ending.HandlerAborts:
                    await leave;
                    connection.Abort();
                    break;
                case Ending.Expired:
                    await Task.Delay(Timeout.Infinite, connection.Closed).ContinueWith(static _ => { }, TaskScheduler.Default);
                    break;
                default:
                    await Handlers.EchoAsync(connection);
                    break;
            }
        }

        static Task SignIn(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate next)
        {
            if (context.Request.Path == "/ws")
            {
                var expires = (DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeMilliseconds() / 1000.0).ToString(CultureInfo.InvariantCulture);
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ann"), new Claim("exp", expires)], "test"));
            }

            return next(context);
        }
    }
}
