using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Compression;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// The meter RealtimeKit.WebSockets, as a listener sees it.
public partial class MetricsTests
{
    private const string Receive = "network.io.direction=receive";
    private const string Transmit = "network.io.direction=transmit";

    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    [InlineData(Wire.OneByteStream)]
    public async Task ReceiveAsync_MessagesAndControlFrames_AreCounted(Wire wire)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(wire, options => options.MeterFactory = meters);
        byte[][] frames =
        [
            Frames.TextFrame("text"), Frames.BinaryFrame(Frames.Pattern(5000)), Frames.PingFrame("beat"),
            Frames.TextFrame("in ", fin: false), Frames.ContinuationFrame("two"u8, fin: true), Frames.TextFrame(""),
        ];
        await harness.Peer.SendAsync(frames);
        for (var i = 0; i < 4; i++)
            await harness.Connection.ReceiveAsync().Within();
        await Bounds.Until(() => meters.Sum("messages", Receive) == 4);
        meters.Sum("messages", "message.type=text").Should().Be(3);
        meters.Sum("messages", "message.type=binary").Should().Be(1);
        await Bounds.Until(() => meters.Sum("io", Receive) == frames.Sum(frame => frame.Length), "every byte is counted once");
        meters.Tags("messages").Should().OnlyContain(tags => tags.Contains("role=server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReceiveAsync_NobodyReceives_WhatIsReadAheadIsCounted()
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MeterFactory = meters);
        var frames = Frames.Join(Frames.TextFrame("waits"), Frames.PingFrame("beat"));
        await harness.Peer.SendAsync(frames);
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("beat");
        await Bounds.Until(() => meters.Sum("io", Receive) == frames.Length);
        meters.Sum("messages", Receive).Should().Be(0, "nobody has taken it");
    }

    [Theory]
    [InlineData(WebSocketRole.Server, int.MaxValue)]
    [InlineData(WebSocketRole.Client, int.MaxValue)]
    [InlineData(WebSocketRole.Server, 200)]
    [InlineData(WebSocketRole.Client, 200)]
    public async Task SendAsync_EveryForm_IsCounted(WebSocketRole role, int maxFrameSize)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(Wire.Stream, options =>
        {
            options.MeterFactory = meters;
            options.Role = role;
            options.MaxFrameSize = maxFrameSize;
        });
        var connection = harness.Connection;
        await connection.SendAsync("text");
        await connection.SendAsync(Frames.Pattern(1000), WebSocketMessageType.Binary);
        await connection.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Text);
        await connection.SendAsync(new PreparedWebSocketMessage(new string('a', 500)));
        var batch = connection.CreateBatch();
        for (var i = 0; i < 3; i++)
            batch.Add(Frames.Pattern(300), WebSocketMessageType.Binary);
        await batch.FlushAsync();
        for (var finals = 0; finals < 7;)
            finals += (await harness.Peer.ReadAsync()).Fin ? 1 : 0;
        meters.Sum("messages", "message.type=text").Should().Be(3);
        meters.Sum("messages", "message.type=binary").Should().Be(4);
        meters.Sum("io", Transmit).Should().Be(harness.Peer.BytesRead);
        meters.Tags("messages").Should().OnlyContain(tags => tags.Contains(role == WebSocketRole.Server ? "role=server" : "role=client", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("peer closes", "close.code=1000 close.initiator=remote role=server")]
    [InlineData("peer closes with its own code", "close.code=4xxx close.initiator=remote role=server")]
    [InlineData("this side closes", "close.code=1001 close.initiator=local role=server")]
    [InlineData("abort", "close.code=1006 close.initiator=local role=server")]
    [InlineData("stream ends", "close.code=1006 close.initiator=network role=server")]
    [InlineData("violation", "close.code=1002 close.initiator=local role=server")]
    public async Task Connection_Ends_CodeAndDurationAreMeasuredOnce(string how, string tags)
    {
        using var meters = new Meters();
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MeterFactory = meters;
            options.TimeProvider = clock;
        });
        meters.Values("active_connections").Should().Equal(1);
        clock.Advance(TimeSpan.FromSeconds(90));
        switch (how)
        {
            case "peer closes":
                await harness.Peer.SendAsync(Frames.CloseFrame(1000));
                break;
            case "peer closes with its own code":
                await harness.Peer.SendAsync(Frames.CloseFrame(4321));
                break;
            case "this side closes":
                var closing = harness.Connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable).AsTask();
                await harness.Peer.SendAsync(Frames.CloseFrame(1001));
                await closing.Within();
                break;
            case "abort":
                harness.Connection.Abort();
                break;
            case "stream ends":
                harness.Peer.Finish();
                break;
            default:
                await harness.Peer.SendAsync(Frames.Frame(3, []));
                break;
        }

        while (harness.Connection.CloseResult is null)
        {
            try
            {
                await harness.Connection.ReceiveAsync().Within();
            }
            catch (WebSocketProtocolException)
            {
            }
        }

        await Bounds.Until(() => meters.Values("connection.duration").Length == 1);
        harness.Connection.Abort();
        await harness.DisposeAsync();
        meters.Values("connection.duration").Should().Equal(90);
        meters.Tags("connection.duration").Should().Equal(tags);
        meters.Values("active_connections").Should().Equal(1, -1);
    }

    [Fact]
    public async Task Connection_OpenedBeforeAnybodyListened_IsNotTakenOff()
    {
        using var meters = new Meters(listens: false);
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MeterFactory = meters);
        meters.Listen();
        harness.Connection.Abort();
        await Bounds.Until(() => meters.Values("connection.duration").Length == 1);
        meters.Values("active_connections").Should().BeEmpty("more would be closed than were opened");
    }

    [Theory]
    [InlineData("C3 28", "InvalidUtf8")]
    [InlineData(null, "ReservedOpcode")]
    public async Task ReceiveAsync_Violation_RuleIsCounted(string? text, string rule)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MeterFactory = meters);
        await harness.Peer.SendAsync(text is null ? Frames.Frame(11, []) : Frames.Frame(Frames.Text, Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal))));
        await harness.Connection.Invoking(async connection => await connection.ReceiveAsync().Within()).Should().ThrowAsync<WebSocketProtocolException>();
        await Bounds.Until(() => meters.Sum("protocol_errors") == 1);
        meters.Tags("protocol_errors").Should().Equal($"error.type={rule} role=server");
    }

    [Fact]
    public async Task PingAsync_Pong_RoundTripIsMeasured()
    {
        using var meters = new Meters();
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MeterFactory = meters;
            options.TimeProvider = clock;
        });
        var ping = harness.Connection.PingAsync().AsTask();
        var frame = await harness.Peer.ReadAsync(Frames.Ping);
        clock.Advance(TimeSpan.FromMilliseconds(30));
        await harness.Peer.SendAsync(Frames.PongFrame(frame.Payload));
        (await ping.Within()).Should().Be(TimeSpan.FromMilliseconds(30));
        meters.Values("ping.duration").Should().Equal(0.03);
    }

    [Fact]
    public async Task KeepAlive_Pong_RoundTripIsMeasured()
    {
        using var meters = new Meters();
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MeterFactory = meters;
            options.TimeProvider = clock;
            options.KeepAliveInterval = TimeSpan.FromSeconds(2);
        });
        await clock.Pass(TimeSpan.FromSeconds(2.5));   // and no time passes while the peer reads
        var frame = await harness.Peer.ReadAsync(Frames.Ping);
        clock.Advance(TimeSpan.FromMilliseconds(40));
        await harness.Peer.SendAsync(Frames.PongFrame(frame.Payload));
        await Bounds.Until(() => meters.Values("ping.duration").Length == 1);
        meters.Values("ping.duration").Single().Should().BeInRange(0.04, 2, "the wheel may have turned on once it was sent");
        await harness.Peer.SendAsync(Frames.PongFrame(frame.Payload), Frames.PingFrame("after"));
        await harness.Peer.ReadAsync(Frames.Pong);
        meters.Values("ping.duration").Should().HaveCount(1, "a pong that answers nothing is no round trip");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task ReceiveAsync_Compressed_RatioIsMeasured(int fragments)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MeterFactory = meters;
            options.Compression = new PerMessageDeflateOptions();
            options.CompressionParameters = default(PerMessageDeflateParameters);
        });
        var message = Samples.Create("json", 4000);
        var compressed = Zlib.Compress(message);
        var size = (compressed.Length + fragments - 1) / fragments;
        for (var i = 0; i < fragments; i++)
            await harness.Peer.SendAsync(Frames.Frame(
                i == 0 ? Frames.Binary : Frames.Continuation, compressed.AsSpan(i * size, Math.Min(size, compressed.Length - i * size)), fin: i == fragments - 1, rsv: i == 0 ? 4 : 0));
        await harness.Peer.SendAsync(Frames.BinaryFrame(message));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
        await Bounds.Until(() => meters.Sum("messages") == 2);
        await Bounds.Until(() => meters.Values("inflate.ratio").Length > 0);
        meters.Values("inflate.ratio").Should().ContainSingle("the second is not compressed").Which.Should().BeApproximately((double)message.Length / compressed.Length, 1e-9);
    }

    [Fact]
    public async Task NoFactory_MeterOfTheProcess_IsMeasured()
    {
        var seen = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter is { Name: "RealtimeKit.WebSockets", Scope: null })
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (instrument.Name == "realtimekit.websocket.messages")
                Interlocked.Add(ref seen, value);
        });
        listener.Start();
        var (client, server) = WebSocketConnection.CreatePair();
        await client.SendAsync("hello");
        await server.ReceiveAsync().Within();
        await Bounds.Until(() => Volatile.Read(ref seen) >= 2);
        client.Abort();
        server.Abort();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task MeterFactory_SeveralConnections_ShareOneMeter()
    {
        using var meters = new Meters();
        for (var i = 0; i < 3; i++)
        {
            await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MeterFactory = meters);
        }

        meters.Names.Should().Equal("RealtimeKit.WebSockets");
    }

    [Fact]
    public void Measuring_SendAndReceive_AllocatesNothing()
    {
        using var factory = new QuietMeters();
        var (own, peer) = Pipes.CreatePair(new System.IO.Pipelines.PipeOptions(
            readerScheduler: System.IO.Pipelines.PipeScheduler.Inline, writerScheduler: System.IO.Pipelines.PipeScheduler.Inline, useSynchronizationContext: false));
        var frame = Frames.Frame(Frames.Text, Zlib.Compress(Encoding.ASCII.GetBytes(Frames.TextPattern(1000))), rsv: 4);
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions
        {
            MeterFactory = factory,
            TimeProvider = new FakeTimeProvider(),   // or else its wheel may read what a receive shall find
            Compression = new PerMessageDeflateOptions(),
            CompressionParameters = default(PerMessageDeflateParameters),
        });
        var least = long.MaxValue;
        for (var round = 0; round < 5 || (round < 16 && least > 0); round++)   // a collection in another test may empty the pools
        {
            Run(200);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Run(500);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        least.Should().Be(0);
        factory.Count.Should().BeGreaterThan(5 * 700 * 5, "each message is measured: bytes and messages both ways, and a ratio");
        connection.Abort();

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                peer.Output.WriteAsync(frame).GetAwaiter().GetResult();
                var message = connection.ReceiveAsync().GetAwaiter().GetResult();
                connection.SendAsync(message.Payload, message.Type).GetAwaiter().GetResult();
                while (peer.Input.TryRead(out var read))
                    peer.Input.AdvanceTo(read.Buffer.End);
            }
        }
    }

    // Counts measurements, and allocates nothing for them.
    private sealed class QuietMeters : IMeterFactory
    {
        private readonly MeterListener _listener = new();
        private Meter? _meter;

        public QuietMeters()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == this)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Count++);
            _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Count++);
            _listener.Start();
        }

        public long Count { get; private set; }

        public Meter Create(MeterOptions options) => _meter ??= new Meter(new MeterOptions(options.Name) { Scope = this });

        public void Dispose()
        {
            _listener.Dispose();
            _meter?.Dispose();
        }
    }
}
