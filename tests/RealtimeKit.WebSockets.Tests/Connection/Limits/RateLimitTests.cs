using System.Globalization;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

// RFC 6455 §10.4: counted before anything is dispatched.
public class RateLimitTests
{
    public static TheoryData<Wire> MemoryWires => Harness.MemoryWires;

    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData(Wire.Pipe, false)]
    [InlineData(Wire.Pipe, true)]
    [InlineData(Wire.Stream, false)]
    public async Task Messages_OverTheBurst_AreNotDispatchedAndClosedWith1008(Wire wire, bool compressed)
    {
        await using var harness = await CreateAsync(wire, options =>
        {
            options.MessagesPerSecond = 10;
            options.MessageBurst = 3;
            if (compressed)
                options.CompressionParameters = new PerMessageDeflateParameters();
        });
        // Empty ones count; RFC 7692 §7.2.3.6: an empty compressed message is the byte 00.
        var message = compressed ? Frames.Frame(Frames.Text, [0], rsv: 4) : Frames.TextFrame("");
        await harness.Peer.SendAsync(Frames.Join([.. Enumerable.Repeat(message, 4)]));
        for (var i = 0; i < 3; i++)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().BeEmpty();
        await FailsAsync(harness, WebSocketProtocolError.MessageRateExceeded);
    }

    [Fact]
    public async Task Messages_WithinTheRate_GoOnForEver()
    {
        await using var harness = await CreateAsync(Wire.Pipe, options => options.MessagesPerSecond = 10);
        for (var i = 0; i < 100; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await harness.Peer.SendAsync(Frames.TextFrame("x"));
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("x");
        }

        // Saved up is one burst and no more.
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        await harness.Peer.SendAsync(Frames.Join([.. Enumerable.Repeat(Frames.TextFrame("y"), 11)]));
        for (var i = 0; i < 10; i++)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("y");
        await FailsAsync(harness, WebSocketProtocolError.MessageRateExceeded);
    }

    [Fact]
    public async Task Messages_FragmentsOfOne_CountOnce()
    {
        await using var harness = await CreateAsync(Wire.Pipe, options => options.MessagesPerSecond = 1);
        await harness.Peer.SendAsync(Frames.Fragmented(Frames.Binary, Frames.Pattern(500), 1));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(500);
        await harness.Peer.SendAsync(Frames.TextFrame(""));
        await FailsAsync(harness, WebSocketProtocolError.MessageRateExceeded);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task Messages_Throttled_WaitAndPingsBehindThemAreAnswered(Wire wire)
    {
        await using var harness = await CreateAsync(wire, options =>
        {
            options.MessagesPerSecond = 10;
            options.MessageBurst = 2;
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
        });
        await harness.Peer.SendAsync(Texts(0, 5), Frames.PingFrame("still there?"));
        for (var i = 0; i < 2; i++)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be($"{i}");
        for (var i = 2; i < 5; i++)
        {
            var receive = harness.Connection.ReceiveAsync().AsTask();
            if (i == 2)
                (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("still there?");
            receive.IsCompleted.Should().BeFalse();
            _clock.Advance(TimeSpan.FromMilliseconds(90));
            receive.IsCompleted.Should().BeFalse();
            _clock.Advance(TimeSpan.FromMilliseconds(11));
            (await receive.Within()).GetText().Should().Be($"{i}");
        }
    }

    [Fact]
    public async Task Messages_ThrottledThenClosedByThePeer_AreDeliveredBeforeTheEnd()
    {
        await using var harness = await CreateAsync(Wire.Pipe, options =>
        {
            options.MessagesPerSecond = 1;
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
        });
        await harness.Peer.SendAsync(Texts(0, 20), Frames.CloseFrame(1000));
        for (var i = 0; i < 20; i++)
            (await _clock.PassUntil(harness.Connection.ReceiveAsync().AsTask(), TimeSpan.FromSeconds(3))).GetText().Should().Be($"{i}");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    // Everything that may meet: a wait that is cancelled, a receive of parts, look-ahead, and a timer that comes at the same time.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.OneByteStream)]
    [InlineData(Wire.Socket)]
    public async Task Throttled_ReceivesCancelledAtAnyTime_NothingIsLostAndOrderIsKept(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.MessagesPerSecond = 2000;
            options.MessageBurst = 1;
            options.BytesPerSecond = 100_000;
            options.ByteBurst = 500;
            options.ControlFramesPerSecond = options.ControlFrameBurst = 1_000_000;
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
        });
        var random = new Random(7);
        var peer = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
                await harness.Peer.SendAsync(Texts(i, 1), Frames.PingFrame("p"));
        });
        var pongs = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
                await harness.Peer.ReadAsync(Frames.Pong);
        });
        for (var i = 0; i < 300;)
        {
            using var cancel = new CancellationTokenSource();
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            if (random.Next(2) == 0)
                await cancel.CancelAsync();
            try
            {
                (await receive.Within()).GetText().Should().Be(i.ToString(CultureInfo.InvariantCulture));
                i++;
            }
            catch (OperationCanceledException)
            {
            }
        }

        await Task.WhenAll(peer, pongs).Within();
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task Bytes_OverTheBurst_CloseWith1008AfterWhatWasRead(Wire wire)
    {
        await using var harness = await CreateAsync(wire, options =>
        {
            options.BytesPerSecond = 1000;
            options.ByteBurst = 1000;
        });
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[985]));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(985);
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[8]));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(8);
        await FailsAsync(harness, WebSocketProtocolError.ByteRateExceeded);
    }

    // 8 bytes a frame on the wire, and none of payload.
    [Fact]
    public async Task Bytes_EmptyFragments_CountTheirHeaders()
    {
        await using var harness = await CreateAsync(Wire.Pipe, options =>
        {
            options.BytesPerSecond = 1000;
            options.ByteBurst = 3000;
        });
        await harness.Peer.SendAsync(Frames.BinaryFrame([], fin: false));
        for (var i = 0; i < 6; i++)
            await harness.Peer.SendAsync(Frames.Join([.. Enumerable.Repeat(Frames.ContinuationFrame([], fin: false), 100)]));
        await FailsAsync(harness, WebSocketProtocolError.ByteRateExceeded);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task Bytes_Throttled_ReadingStopsUntilTheyAreEarned(Wire wire)
    {
        await using var harness = await CreateAsync(wire, options =>
        {
            options.BytesPerSecond = 1000;
            options.ByteBurst = 1000;
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
            options.MessageTimeout = TimeSpan.FromSeconds(5);
            options.KeepAliveInterval = TimeSpan.FromSeconds(5);
            options.KeepAliveTimeout = TimeSpan.FromSeconds(5);
        });
        var begun = _clock.GetTimestamp();
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[20_992]));   // and 8 bytes of header: 20 s to earn
        (await _clock.PassUntil(harness.Connection.ReceiveAsync().AsTask(), TimeSpan.FromSeconds(40))).Payload.Length.Should().Be(20_992);
        await harness.Peer.SendAsync(Frames.TextFrame("later"));
        var receive = harness.Connection.ReceiveAsync().AsTask();

        // Longer than any deadline for a peer: this one is not silent, it is not read.
        (await _clock.PassUntil(receive, TimeSpan.FromSeconds(40))).GetText().Should().Be("later");
        _clock.GetElapsedTime(begun).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(19.9));
        harness.Connection.State.Should().Be(WebSocketState.Open);
    }

    [Theory]
    [InlineData(WebSocketRateLimitKind.Messages, WebSocketProtocolError.MessageRateExceeded)]
    [InlineData(WebSocketRateLimitKind.Bytes, WebSocketProtocolError.ByteRateExceeded)]
    [InlineData(WebSocketRateLimitKind.ControlFrames, WebSocketProtocolError.ControlRateExceeded)]
    public async Task Limiter_Refuses_ClosesWith1008BeforeDispatch(WebSocketRateLimitKind kind, WebSocketProtocolError error)
    {
        var limiter = new Limiter(kind);
        await using var harness = await CreateAsync(Wire.Pipe, options => options.RateLimiter = limiter);
        await harness.Peer.SendAsync(kind == WebSocketRateLimitKind.ControlFrames ? Frames.PingFrame("x") : Frames.TextFrame("x"));
        await FailsAsync(harness, error);
    }

    [Fact]
    public async Task Limiter_Throws_ClosesEvenWhereItWouldThrottle()
    {
        await using var harness = await CreateAsync(Wire.Pipe, options =>
        {
            options.RateLimiter = new Limiter(WebSocketRateLimitKind.Messages) { Failure = new ObjectDisposedException("limiter") };
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
        });
        await harness.Peer.SendAsync(Frames.TextFrame("x"));
        await FailsAsync(harness, WebSocketProtocolError.MessageRateExceeded);
    }

    [Theory]
    [InlineData(WebSocketRateLimitKind.Messages)]
    [InlineData(WebSocketRateLimitKind.Bytes)]
    public async Task Limiter_RefusesAndThrottles_IsAskedAgainAfterItsTime(WebSocketRateLimitKind kind)
    {
        var limiter = new Limiter(kind) { RetryAfter = TimeSpan.FromSeconds(2) };
        using var meters = new Meters();
        await using var harness = await CreateAsync(Wire.Pipe, options =>
        {
            options.RateLimiter = limiter;
            options.RateLimitAction = WebSocketRateLimitAction.Throttle;
            options.MeterFactory = meters;
        });
        await harness.Peer.SendAsync(Frames.TextFrame("x"));
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await Bounds.Until(() => limiter.Asked > 0);
        await Bounds.Until(() => meters.Sum("throttled", "role=server") == 1);
        var asked = limiter.Asked;
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        limiter.Refused = null;
        receive.IsCompleted.Should().BeFalse();
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        (await receive.Within()).GetText().Should().Be("x");
        limiter.Asked.Should().BeGreaterThan(asked);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Options_NotPositive_AreRefused(int value)
    {
        var options = new WebSocketConnectionOptions();
        foreach (var set in new Action[]
        {
            () => options.MessagesPerSecond = value,
            () => options.MessageBurst = value,
            () => options.BytesPerSecond = value,
            () => options.ByteBurst = value,
            () => options.MaxRetainedBytes = value,
            () => options.RateLimitAction = (WebSocketRateLimitAction)(value - 1),
        })
            set.Should().Throw<ArgumentOutOfRangeException>();
    }

    private Task<Harness> CreateAsync(Wire wire, Action<WebSocketConnectionOptions> configure) => Harness.CreateAsync(wire, options =>
    {
        options.TimeProvider = _clock;
        configure(options);
    });

    private static byte[] Texts(int first, int count) =>
        Frames.Join([.. Enumerable.Range(first, count).Select(i => Frames.TextFrame(i.ToString(CultureInfo.InvariantCulture)))]);

    private static async Task FailsAsync(Harness harness, WebSocketProtocolError error)
    {
        var receive = () => harness.Connection.ReceiveAsync().Within();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1008);
    }

    private sealed class Limiter(WebSocketRateLimitKind refused) : WebSocketRateLimiter
    {
        public WebSocketRateLimitKind? Refused { get; set; } = refused;

        public TimeSpan RetryAfter { get; init; }

        public Exception? Failure { get; init; }

        public int Asked { get; private set; }

        public override bool TryAcquire(WebSocketRateLimitKind kind, int count, out TimeSpan retryAfter)
        {
            Asked++;
            retryAfter = RetryAfter;
            if (kind == Refused && Failure is not null)
                throw Failure;
            return kind != Refused;
        }
    }
}
