using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 6455 §10.4: nothing is unbounded.
public partial class LimitTests
{
    public static TheoryData<Wire> MemoryWires => Harness.MemoryWires;

    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageSize_HeaderAnnouncesTooMuch_FailsBeforeThePayload(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.MaxMessageSize = 1000);
        await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(1000)));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(1000);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, [], declared: 1001));
        await Fails(harness, WebSocketProtocolError.MessageTooBig, 1009);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageSize_FragmentsAddUp_FailsAtTheHeaderThatPasses(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.MaxMessageSize = 1000);
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[600], fin: false), Frames.ContinuationFrame(new byte[400], fin: true));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(1000);
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[600], fin: false), Frames.Frame(Frames.Continuation, [], declared: 401));
        await Fails(harness, WebSocketProtocolError.MessageTooBig, 1009);
    }

    [Fact]
    public async Task MessageSize_StreamedReads_HaveTheirOwn()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MaxMessageSize = 10;
            options.MaxStreamedMessageSize = 100;
        });
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[100]));
        long total = 0;
        while (total < 100)
        {
            var part = await harness.Connection.ReadAsync().Within();
            total += part.Payload.Length;
            harness.Connection.AdvanceTo(part.Payload.End);
        }

        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, [], declared: 101));
        var read = () => harness.Connection.ReadAsync().Within();
        (await read.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MessageTooBig);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Fragments_MoreThan1024_FailEvenWhenEmpty(int size)
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream);
        await harness.Peer.SendAsync(Message(1024));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(size * 1024);
        await harness.Peer.SendAsync(Message(1025));
        await Fails(harness, WebSocketProtocolError.TooManyFragments, 1008);

        byte[] Message(int count) => Frames.Join([.. Enumerable.Range(0, count).Select(i =>
            Frames.Frame(i == 0 ? Frames.Binary : Frames.Continuation, new byte[size], fin: i == count - 1))]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ControlFrames_BurstThenRate(bool receiving)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Configure);
        var receive = receiving ? harness.Connection.ReceiveAsync().AsTask() : null;
        await _clock.Pass(TimeSpan.FromSeconds(100));   // saves nothing up beyond one burst
        await Pings(20);
        await _clock.Pass(TimeSpan.FromSeconds(1));
        await Pings(10);
        for (var i = 0; i < 20; i++)
        {
            await _clock.Pass(TimeSpan.FromMilliseconds(250));
            await Pings(i % 2 == 0 ? 2 : 3);   // what is left of a token's time is not lost
        }

        await harness.Peer.SendAsync(Frames.PingFrame("too much"));
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1008);
        var wait = () => receive?.Within() ?? harness.Connection.ReceiveAsync().Within();
        (await wait.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.ControlRateExceeded);

        async Task Pings(int count)
        {
            for (var i = 0; i < count; i++)
                await harness.Peer.SendAsync(Frames.PingFrame(i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            for (var i = 0; i < count; i++)
                (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be(i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ControlFrames_CloseAfterAFullBurst_IsClean(bool receiving)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Configure);
        await _clock.Pass(TimeSpan.FromSeconds(1));
        var receive = receiving ? harness.Connection.ReceiveAsync().AsTask() : null;
        for (var i = 0; i < 20; i++)
            await harness.Peer.SendAsync(Frames.PongFrame([1]));
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        if (receive is not null)
            await receive.Within();
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageTimeout_UnfinishedMessage_FailsWith1008(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Configure);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendAsync(Frames.TextFrame("begun", fin: false), Frames.PingFrame());
        await harness.Peer.ReadAsync(Frames.Pong);   // from here on it counts
        // A byte now and then does not help.
        for (var i = 0; i < 28; i++)
        {
            await _clock.Pass(TimeSpan.FromSeconds(1));
            await harness.Peer.SendAsync(Frames.ContinuationFrame([(byte)'x'], fin: false));
        }

        receive.IsCompleted.Should().BeFalse();
        var wait = () => _clock.PassUntil(receive, TimeSpan.FromSeconds(20));
        (await wait.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MessageTimeout);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1008);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageTimeout_BetweenMessages_DoesNotCount(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Configure);
        for (var i = 0; i < 3; i++)
        {
            var receive = harness.Connection.ReceiveAsync().AsTask();
            await harness.Peer.SendAsync(Frames.TextFrame("a", fin: false));
            await _clock.Pass(TimeSpan.FromSeconds(20));
            await harness.Peer.SendAsync(Frames.ContinuationFrame("b"u8, fin: true));
            (await receive.Within()).GetText().Should().Be("ab");
            await _clock.Pass(TimeSpan.FromSeconds(40));
        }

        harness.Connection.State.Should().Be(WebSocketState.Open);
    }

    [Fact]
    public async Task WriteTimeout_PeerDoesNotRead_Aborts()
    {
        StallingStream? stream = null;
        await using var harness = Harness.Over(inner => stream = new StallingStream(inner), Configure);
        stream!.Stall();
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Connection.SendAsync("stalls");
        await stream.Stalled.Within();
        var waiting = harness.Connection.SendAsync(new byte[1 << 20], WebSocketMessageType.Binary).AsTask();
        await _clock.Pass(TimeSpan.FromSeconds(29));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(3))).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Network, false));
        var wait = () => waiting.Within();
        await wait.Should().ThrowAsync<WebSocketException>();
    }

    // A large message takes its time: what counts is that the peer goes on reading.
    [Fact]
    public async Task WriteTimeout_PeerReadsSlowly_DoesNotFire()
    {
        StallingStream? stream = null;
        await using var harness = Harness.Over(inner => stream = new StallingStream(inner), options =>
        {
            options.TimeProvider = _clock;
            options.SendBufferSize = 100_000;
        });
        stream!.Stall();
        var payload = Frames.Pattern(1_000_000);
        await harness.Connection.SendAsync(payload, WebSocketMessageType.Binary);
        var read = harness.Peer.ReadAsync(Frames.Binary);
        for (var i = 0; i < 40 && !read.IsCompleted; i++)
        {
            await Task.WhenAny(stream.Stalled.Within(), read);
            await _clock.Pass(TimeSpan.FromSeconds(20));
            stream.Release();
            stream.Stall();
        }

        (await read).Payload.AsSpan().SequenceEqual(payload).Should().BeTrue();
        harness.Connection.State.Should().Be(WebSocketState.Open);
    }

    // A streamed message may take as long as it likes, but its peer must not stop in the middle.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageTimeout_StreamedMessage_CountsPauses(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Configure);
        await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, new byte[10], declared: 1000));
        for (var i = 0; i < 5; i++)
        {
            var part = await harness.Connection.ReadAsync().Within();
            harness.Connection.AdvanceTo(part.Payload.End);
            var next = harness.Connection.ReadAsync().AsTask();
            await _clock.Pass(TimeSpan.FromSeconds(20));
            await harness.Peer.SendBytesAsync(new byte[10]);
            harness.Connection.AdvanceTo((await next.Within()).Payload.End);
            await harness.Peer.SendBytesAsync(new byte[10]);
        }

        harness.Connection.AdvanceTo((await harness.Connection.ReadAsync().Within()).Payload.End);
        var last = harness.Connection.ReadAsync().AsTask();
        var wait = () => _clock.PassUntil(last, TimeSpan.FromSeconds(33));
        (await wait.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MessageTimeout);
    }

    // What the timers of .NET cannot count must not be found out by a connection that runs.
    [Fact]
    public void Deadlines_LongerThanATimerCanWait_AreRefused()
    {
        var longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
        foreach (var set in (Action<TimeSpan>[])
        [
            value => new WebSocketConnectionOptions().MessageTimeout = value,
            value => new WebSocketConnectionOptions().WriteTimeout = value,
            value => new WebSocketConnectionOptions().KeepAliveInterval = value,
            value => new WebSocketConnectionOptions().KeepAliveTimeout = value,
            value => new WebSocketConnectionOptions().CloseTimeout = value,
            value => new WebSocketConnectionOptions().FirstMessageTimeout = value,
            value => new WebSocketClientOptions().ConnectTimeout = value,
        ])
        {
            set(longest);
            set(Timeout.InfiniteTimeSpan);
            foreach (var tooLong in (TimeSpan[])[longest + TimeSpan.FromTicks(1), TimeSpan.MaxValue])
                FluentActions.Invoking(() => set(tooLong)).Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    // A delay may have that of the server added to it, and the sum is waited for.
    [Fact]
    public void ReconnectDelays_LongerThanATimerCanWait_AreRefused()
    {
        var longest = TimeSpan.FromMilliseconds(int.MaxValue);
        foreach (var set in (Action<TimeSpan>[])
        [
            value => new ReconnectingWebSocketOptions().MinDelay = value,
            value => new ReconnectingWebSocketOptions().MaxDelay = value,
            value => new ReconnectingWebSocketOptions().MaxRetryAfter = value,
        ])
        {
            set(longest);
            FluentActions.Invoking(() => set(longest + TimeSpan.FromTicks(1))).Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    private void Configure(WebSocketConnectionOptions options) => options.TimeProvider = _clock;

    private static async Task Fails(Harness harness, WebSocketProtocolError error, int code)
    {
        var receive = () => harness.Connection.ReceiveAsync().Within();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(code);
    }
}
