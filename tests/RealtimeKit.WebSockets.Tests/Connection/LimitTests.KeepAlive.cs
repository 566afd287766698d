using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

public partial class LimitTests
{
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task KeepAlive_SilentPeer_IsPingedThenGivenUp(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, ConfigureKeepAlive);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await _clock.Pass(TimeSpan.FromSeconds(26));   // the wheel sends it at 25, and no time passes while the peer reads it
        await harness.Peer.ReadAsync(Frames.Ping);
        await _clock.Pass(TimeSpan.FromSeconds(8));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(4))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.State.Should().Be(WebSocketState.Aborted);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Network, false));
    }

    // A peer cannot answer a ping that waits behind what it is still being sent.
    [Fact]
    public async Task KeepAlive_PingWaitsBehindAWrite_ItsTimeBeginsOnceItHasLeft()
    {
        StallingStream? stream = null;
        await using var harness = Harness.Over(inner => stream = new StallingStream(inner), options =>
        {
            ConfigureKeepAlive(options);
            options.WriteTimeout = Timeout.InfiniteTimeSpan;
        });
        var receive = harness.Connection.ReceiveAsync().AsTask();
        stream!.Stall();
        await harness.Connection.SendAsync(new byte[100_000], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        await _clock.Pass(TimeSpan.FromSeconds(60));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        stream.Release();
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(100_000);
        await harness.Peer.ReadAsync(Frames.Ping);
        await Bounds.Until(() => harness.Connection.RetainedBytes == 0, "its write has ended on this side, too");
        await _clock.Pass(TimeSpan.FromSeconds(8));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(5))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.State.Should().Be(WebSocketState.Aborted);
    }

    [Fact]
    public async Task KeepAlive_PingWaitsBehindAWriteThatNeverEnds_TheWriteTimeoutAborts()
    {
        StallingStream? stream = null;
        await using var harness = Harness.Over(inner => stream = new StallingStream(inner), options =>
        {
            ConfigureKeepAlive(options);
            options.WriteTimeout = TimeSpan.FromSeconds(50);
        });
        var receive = harness.Connection.ReceiveAsync().AsTask();
        stream!.Stall();
        await harness.Connection.SendAsync(new byte[100_000], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        await _clock.Pass(TimeSpan.FromSeconds(48));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(4))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.State.Should().Be(WebSocketState.Aborted);
    }

    [Theory]
    [InlineData("pong")]
    [InlineData("one byte of a frame")]
    [InlineData("message")]
    public async Task KeepAlive_AnyByteIsLife(string life)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, ConfigureKeepAlive);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        for (var i = 0; i < 4; i++)
        {
            var ping = await _clock.PassUntil(harness.Peer.ReadAsync(Frames.Ping), TimeSpan.FromSeconds(27));
            // At the very instant of the ping, as far as this clock can tell.
            if (life == "pong")
                await harness.Peer.SendAsync(Frames.PongFrame(ping.Payload));
            else if (life == "message" || i > 0)
                await harness.Peer.SendAsync(Frames.PongFrame([(byte)i]));
            else
                await harness.Peer.SendBytesAsync(Frames.PongFrame([7]).AsMemory(0, 1));
            await Bounds.Until(() => harness.Connection.LastReceived == _clock.GetUtcNow(), "it is read");
            if (life != "one byte of a frame" || i > 0)
                continue;
            await harness.Peer.SendAsync(Frames.PongFrame([7])[1..], Frames.PingFrame());
            await harness.Peer.ReadAsync(Frames.Pong);
        }

        harness.Connection.State.Should().Be(WebSocketState.Open);
        await harness.Peer.SendAsync(Frames.TextFrame("alive"));
        (await receive.Within()).GetText().Should().Be("alive");
    }

    [Fact]
    public async Task KeepAlive_BusyPeer_IsNotPinged()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, ConfigureKeepAlive);
        for (var i = 0; i < 10; i++)
        {
            await harness.Peer.SendAsync(Frames.TextFrame("x"));
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("x");
            await _clock.Pass(TimeSpan.FromSeconds(20));
        }

        await harness.Connection.SendAsync("end");
        (await harness.Peer.ReadAsync()).Opcode.Should().Be(Frames.Text, "no ping came before");
    }

    [Fact]
    public async Task PingAsync_PongOfALaterPing_AnswersTheEarlierToo()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Configure);
        var first = harness.Connection.PingAsync().AsTask();
        var second = harness.Connection.PingAsync().AsTask();
        var third = harness.Connection.PingAsync().AsTask();
        await harness.Peer.ReadAsync(Frames.Ping);
        var ping = await harness.Peer.ReadAsync(Frames.Ping);
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        await harness.Peer.SendAsync(Frames.PongFrame([1]), Frames.PongFrame([0, 0, 0, 0, 0, 0, 9, 9]), Frames.PongFrame(ping.Payload));
        (await first.Within()).Should().Be(TimeSpan.FromMilliseconds(100));
        (await second.Within()).Should().Be(TimeSpan.FromMilliseconds(100));
        third.IsCompleted.Should().BeFalse();

        using var cancel = new CancellationTokenSource();
        var cancelled = harness.Connection.PingAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await ((Func<Task>)(() => cancelled.Within())).Should().ThrowAsync<OperationCanceledException>();
        harness.Connection.Abort();
        await ((Func<Task>)(() => third.Within())).Should().ThrowAsync<WebSocketException>();
    }

    private void ConfigureKeepAlive(WebSocketConnectionOptions options)
    {
        options.TimeProvider = _clock;
        options.KeepAliveInterval = TimeSpan.FromSeconds(25);
    }
}
