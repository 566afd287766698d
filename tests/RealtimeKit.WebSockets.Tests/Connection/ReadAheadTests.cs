using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// While nobody receives, control frames are still handled.
public partial class ReadAheadTests
{
    public static TheoryData<Wire> MainWires => Harness.MainWires;

    public static TheoryData<Wire> MemoryWires => Harness.MemoryWires;

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task NobodyReceives_Pings_AreAnsweredInOrder(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        for (var i = 0; i < 10; i++)
            await harness.Peer.SendAsync(Frames.TextFrame("message " + i), Frames.PingFrame("ping " + i));

        for (var i = 0; i < 10; i++)
            (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("ping " + i);
        for (var i = 0; i < 10; i++)
            (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("message " + i);
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task NobodyReceives_PingAsync_GetsItsPong(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var ping = harness.Connection.PingAsync().AsTask();
        var frame = await harness.Peer.ReadAsync(Frames.Ping);
        await harness.Peer.SendAsync(Frames.TextFrame("unread"), Frames.PongFrame(frame.Payload));

        (await ping.Within()).Should().BeGreaterThanOrEqualTo(TimeSpan.Zero);
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("unread");
    }

    // RFC 6455 §5.5.3: a pong comes when the peer finds it practical, behind whatever it sends; here the loop itself would have to receive that.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task PingIsAwaitedInsideTheReceiveLoop_PongLiesBehindMoreThanIsReadAhead_FailsAndTheLoopGoesOn(Wire wire)
    {
        const int Waiting = 30;
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.TimeProvider = clock;
            options.ReadAheadSize = 1024;
        });
        await harness.Peer.SendAsync(Frames.TextFrame("ping me"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("ping me");
        var pinging = PingAsync(harness.Connection);
        var ping = await harness.Peer.ReadAsync(Frames.Ping);
        for (var i = 0; i < Waiting; i++)
            await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100, i)));
        await harness.Peer.SendAsync(Frames.PongFrame(ping.Payload));

        (await clock.PassUntil(pinging, TimeSpan.FromSeconds(30))).Should().BeOfType<TimeoutException>();
        for (var i = 0; i < Waiting; i++)
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(100, i));
        harness.Connection.State.Should().Be(WebSocketState.Open);

        pinging = PingAsync(harness.Connection);
        ping = await harness.Peer.ReadAsync(Frames.Ping);
        await harness.Peer.SendAsync(Frames.PongFrame(ping.Payload));
        (await pinging.Within()).Should().BeNull("nothing lies before this pong");
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task PingBesideASlowReceiver_PongLiesBehindMoreThanIsReadAhead_IsWaitedFor(Wire wire)
    {
        const int Waiting = 30;
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.TimeProvider = clock;
            options.ReadAheadSize = 1024;
        });
        var pinging = PingAsync(harness.Connection);
        var ping = await harness.Peer.ReadAsync(Frames.Ping);
        for (var i = 0; i < Waiting; i++)
            await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100, i)));
        await harness.Peer.SendAsync(Frames.PongFrame(ping.Payload));

        for (var i = 0; i < Waiting; i++)
        {
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(100, i));
            await clock.Pass(TimeSpan.FromSeconds(4));
        }

        (await pinging.Within()).Should().BeNull("somebody receives");
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task HandlerThatOnlySends_PingAndClose_AreAnswered(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var frames = harness.Peer.ReadToEndAsync();
        var handler = Task.Run(async () =>
        {
            while (!harness.Connection.Closed.IsCancellationRequested)
            {
                try
                {
                    await harness.Connection.SendAsync("tick");
                }
                catch (WebSocketException)
                {
                    break;
                }

                await Task.Delay(1);
            }

            await harness.Connection.DisposeAsync();
        });

        await harness.Peer.SendAsync(Frames.PingFrame("?"));
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await handler.Within();
        var opcodes = (await frames.Within()).ConvertAll(frame => frame.Opcode);
        opcodes.Should().Contain(Frames.Pong);
        opcodes[^1].Should().Be(Frames.Close);
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task MessageIsInTheHandlersHands_Pings_AreAnswered(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.TextFrame("one"), Frames.TextFrame("two"));
        var one = await harness.Connection.ReceiveAsync().Within();
        await harness.Peer.SendAsync(Frames.PingFrame("a"));
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("a");
        one.GetText().Should().Be("one");

        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("two");
        await harness.Peer.SendAsync(Frames.PingFrame("b"));
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("b");
    }

    // A receive that completes at once starts no read: the wheel must.
    [Fact]
    public async Task HandlerIsBusyAfterAReceiveThatCompletedAtOnce_Ping_IsAnsweredWithinASecond()
    {
        var clock = new FakeTimeProvider();
        var stream = new ScriptedStream();
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { TimeProvider = clock, ReadAheadSize = 256 });
        await clock.Pass(TimeSpan.FromSeconds(2));   // a read is pending: the wheel has no reason to come again soon
        // Four frames of 64 bytes: the bound is full, no read is pending any more, and each receive completes at once.
        for (var i = 0; i < 4; i++)
            stream.Put(Frames.BinaryFrame(new byte[58]));
        for (var i = 0; i < 4; i++)
            connection.ReceiveAsync().IsCompletedSuccessfully.Should().BeTrue();
        stream.Put(Frames.PingFrame("busy?"));

        await clock.Pass(TimeSpan.FromSeconds(1));
        WireFrame.DecodeAll(stream.Written).Should().ContainSingle().Which.Text.Should().Be("busy?");
        connection.Abort();
        await connection.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task HandlerBlocksItsThreadInTheReceive_Ping_IsAnsweredAfterTicks(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = clock);
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource();
        var handler = Handle();
        await harness.Peer.SendAsync(Frames.TextFrame("block"));
        await blocked.Task.Within();

        for (var i = 0; i < 5; i++)
        {
            await harness.Peer.SendAsync(Frames.PingFrame("alive? " + i));
            var pong = await clock.PassUntil(harness.Peer.ReadAsync(Frames.Pong), TimeSpan.FromSeconds(2));
            pong.Text.Should().Be("alive? " + i);
        }

        release.Set();
        await handler.Within();

        async Task Handle()
        {
            await harness.Connection.ReceiveAsync().ConfigureAwait(false);
            blocked.SetResult();
            release.Wait(Bounds.Generous);
        }
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task NobodyReceives_ReadsNoFurtherThanTheBound(Wire wire)
    {
        const int Bound = 16 * 1024;
        await using var harness = await Harness.CreateAsync(wire);
        var payload = Frames.Pattern(1000);
        var frame = Frames.BinaryFrame(payload);
        // The pipe in between holds 64 KiB before a writer must wait.
        var writes = 0;
        var sender = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                await harness.Peer.SendBytesAsync(frame);
                Interlocked.Increment(ref writes);
            }
        });

        await Bounds.Until(() => Volatile.Read(ref writes) * frame.Length >= 64 * 1024 - frame.Length);
        await Task.Delay(50);
        (Volatile.Read(ref writes) * frame.Length).Should().BeLessThan(64 * 1024 + Bound + 2 * frame.Length);

        for (var i = 0; i < 200; i++)
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(payload);
        await sender.Within();
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task BoundIsFull_PeerDeadlinesPause(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.TimeProvider = clock;
            options.KeepAliveInterval = TimeSpan.FromSeconds(5);
            options.KeepAliveTimeout = TimeSpan.FromSeconds(2);
            options.MessageTimeout = TimeSpan.FromSeconds(3);
            options.ReadAheadSize = 1024;
        });
        for (var i = 0; i < 20; i++)
            await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100, i), fin: false), Frames.ContinuationFrame([1], fin: true));

        await clock.Pass(TimeSpan.FromSeconds(60));
        harness.Connection.State.Should().Be(WebSocketState.Open);
        for (var i = 0; i < 20; i++)
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal([.. Frames.Pattern(100, i), 1]);
    }

    // The receiver was cancelled inside of a message; the rest came while it was busy elsewhere. The peer has done its part.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task MessageArrivedWholeAndNobodyReceives_MessageTimeoutDoesNotFire(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = clock);
        var frame = Frames.BinaryFrame(Frames.Pattern(100));
        await harness.Peer.SendBytesAsync(frame.AsMemory(0, 50));
        using (var cancel = new CancellationTokenSource())
        {
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            await Task.Delay(10);
            await cancel.CancelAsync();
            await ((Func<Task>)(() => receive)).Should().ThrowAsync<OperationCanceledException>();
        }

        await harness.Peer.SendBytesAsync(frame.AsMemory(50));
        await clock.Pass(TimeSpan.FromSeconds(60));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(100));
    }

    [Fact]
    public async Task NobodyReceives_LastReceived_IsWhenBytesArrived()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var stream = new ScriptedStream();
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions
        {
            TimeProvider = clock,
            ReadAheadSize = 256,
            KeepAliveInterval = TimeSpan.FromSeconds(2),
        });
        await clock.Pass(TimeSpan.FromSeconds(1));
        var arrival = clock.GetUtcNow();
        stream.Put(Frames.BinaryFrame(new byte[600]));   // more than the bound: reading stops
        await clock.Pass(TimeSpan.FromSeconds(60));
        connection.LastReceived.Should().Be(arrival);
        connection.State.Should().Be(WebSocketState.Open);
        connection.Abort();
        await connection.DisposeAsync();
    }

    // FakeTimeProvider runs what is due on whichever thread asks it for the time: here each time, in the middle of every read.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task ClockThatTicksWhenAsked_NothingIsLostOrChanged(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.TimeProvider = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(250) };
            options.MessageTimeout = Timeout.InfiniteTimeSpan;
            options.CloseTimeout = TimeSpan.FromHours(10);
            options.WriteTimeout = TimeSpan.FromHours(10);
        });
        for (var round = 0; round < 20; round++)
        {
            var frames = Frames.Join(Frames.BinaryFrame(Frames.Pattern(150, round)), Frames.PingFrame(), Frames.BinaryFrame(Frames.Pattern(70, round)));
            using var cancel = new CancellationTokenSource();
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            await harness.Peer.SendBytesAsync(frames.AsMemory(0, 50 + round));
            await cancel.CancelAsync();
            await ((Func<Task>)(() => receive.Within())).Should().ThrowAsync<OperationCanceledException>();
            foreach (var chunk in frames[(50 + round)..].Chunk(36))
                await harness.Peer.SendBytesAsync(chunk);
            await harness.Peer.ReadAsync(Frames.Pong);
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(150, round));
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(70, round));
        }
    }

    private static async Task<Exception?> PingAsync(WebSocketConnection connection)
    {
        try
        {
            await connection.PingAsync();
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }
}
