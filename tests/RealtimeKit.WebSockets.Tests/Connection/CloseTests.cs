using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 6455 §7: every way in which a connection ends, and what its result says.
public class CloseTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

    private static readonly WebSocketCloseResult Lost = new(null, null, WebSocketCloseInitiator.Network, false);

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task CloseAsync_PeerAnswers_IsClean(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Connection.SendAsync("last words");
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "going away").AsTask();
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("last words");
        var frame = await harness.Peer.ReadAsync(Frames.Close);
        frame.CloseCode.Should().Be(1001);
        frame.CloseReason.Should().Be("going away");
        harness.Connection.State.Should().Be(WebSocketState.CloseSent);
        var send = () => harness.Connection.SendAsync("too late").AsTask();
        await send.Should().ThrowAsync<WebSocketException>();

        await harness.Peer.SendAsync(Frames.TextFrame("crossing"), Frames.CloseFrame(1001));
        var result = await close.Within();
        result.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.EndpointUnavailable, "going away", WebSocketCloseInitiator.Local, true));
        harness.Connection.CloseResult.Should().Be(result);
        harness.Connection.State.Should().Be(WebSocketState.Closed);
        harness.Connection.Closed.IsCancellationRequested.Should().BeTrue();
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().Be(result, "the first ending counts");

        // The server closes TCP first (RFC 6455 §7.1.1).
        await harness.Connection.DisposeAsync().Within();
        (await harness.Peer.TryReadAsync()).Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task PeerCloses_AnsweredWithItsCode_ThenTheStreamEnds(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.TextFrame("a"), Frames.CloseFrame(3000, "ciao"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("a");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)3000, "ciao", WebSocketCloseInitiator.Remote, true));
        await harness.Connection.DisposeAsync().Within();
        var frames = await harness.Peer.ReadToEndAsync();
        frames.Should().ContainSingle().Which.CloseCode.Should().Be(3000);
    }

    [Fact]
    public async Task PeerClosesWithoutACode_AnsweredWithout_ResultIsEmpty()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.CloseFrame());
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.Empty, null, WebSocketCloseInitiator.Remote, true));
        (await harness.Peer.ReadAsync(Frames.Close)).Payload.Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task BothCloseAtOnce_BothAreClean(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.CloseFrame(4001, "theirs"));
        var result = await harness.Connection.CloseAsync((WebSocketCloseStatus)4002, "ours").Within();
        result.IsClean.Should().BeTrue();
        await harness.Connection.DisposeAsync().Within();
        // Whoever was seen first: one Close frame goes out, never two.
        var frame = (await harness.Peer.ReadToEndAsync()).Should().ContainSingle().Which;
        frame.CloseCode.Should().Be((int)result.Status!.Value);
    }

    [Fact]
    public async Task CloseAsync_OfAPairAtOnce_BothAreClean()
    {
        for (var i = 0; i < 200; i++)
        {
            var (client, server) = WebSocketConnection.CreatePair();
            var results = await Task.WhenAll(
                Task.Run(async () => await client.CloseAsync((WebSocketCloseStatus)4001)),
                Task.Run(async () => await server.CloseAsync((WebSocketCloseStatus)4002))).Within();
            results.Should().OnlyContain(result => result.IsClean);
            await Task.WhenAll(client.DisposeAsync().AsTask(), server.DisposeAsync().AsTask()).Within();
        }
    }

    [Fact]
    public async Task CloseAsync_PeerNeverAnswers_EndsUncleanAtTheDeadline()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = clock);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye").AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.PingFrame());   // alive, but it does not close
        clock.Advance(TimeSpan.FromSeconds(4.9));
        await Task.Delay(10);
        close.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.2));
        (await close.Within()).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Local, false));
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        await harness.Connection.DisposeAsync().Within();
    }

    [Fact]
    public async Task CloseAsync_Cancelled_EndsAtOnce()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var cancel = new CancellationTokenSource();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel.Token).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await cancel.CancelAsync();
        (await close.Within()).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, null, WebSocketCloseInitiator.Local, false));
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_MessagesUnread_AreDiscardedUpToThePeersClose(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var send = Task.Run(async () =>
        {
            for (var i = 0; i < 30; i++)
                await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(3000)));
            await harness.Peer.ReadAsync(Frames.Close);
            await harness.Peer.SendAsync(Frames.PingFrame(), Frames.BinaryFrame([1]), Frames.CloseFrame(1000));
        });
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(3000);
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).IsClean.Should().BeTrue();
        await send.Within();
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    // What is discarded is missing: a message must not be delivered with a hole, nor one behind a missing one.
    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_AReceiveWasCancelledInAMessage_ItsEndIsNoMessage(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var frame = Frames.BinaryFrame(Frames.Pattern(200));
        await harness.Peer.SendBytesAsync(frame.AsMemory(0, 100));
        using (var cancel = new CancellationTokenSource())
        {
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            await Task.Delay(10);
            await cancel.CancelAsync();
            await ((Func<Task>)(() => receive)).Should().ThrowAsync<OperationCanceledException>();
        }

        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendBytesAsync(frame.AsMemory(100, 50));
        await Task.Delay(20);   // discarded, because nobody receives
        var rest = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendBytesAsync(frame.AsMemory(150));
        await harness.Peer.SendAsync(Frames.TextFrame("whole, but behind a hole"), Frames.CloseFrame(1000));
        (await rest.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await close.Within()).IsClean.Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_WhileALoopReceives_TheLoopSeesEverythingBeforeThePeersClose(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var received = new List<string>();
        var loop = Task.Run(async () =>
        {
            await foreach (var message in harness.Connection.ReadAllAsync())
                received.Add(message.GetText());
        });
        await harness.Peer.SendAsync(Frames.TextFrame("1"));
        await Bounds.Until(() => received.Count == 1);
        await Task.Delay(5);
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.TextFrame("2"));
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        (await close.Within()).IsClean.Should().BeTrue();
        await loop.Within();
        received[0].Should().Be("1");
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task PeerEndsTheStream_WithoutAClose_IsLost(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendBytesAsync(Frames.Join(Frames.TextFrame("whole"), Frames.TextFrame("cut short")[..10]));
        harness.Peer.Finish();
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("whole");
        await harness.Connection.SendAsync("a half-closed peer still reads");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().StartWith("a half");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(Lost);
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().Be(Lost);
        await harness.Connection.DisposeAsync().Within();
    }

    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    [InlineData(Wire.Tls)]
    public async Task PeerResets_InTheMiddleOfAMessage_IsLost(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendBytesAsync(Frames.BinaryFrame(new byte[100]).AsMemory(0, 50));
        await Task.Delay(5);
        harness.Peer.Reset();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(Lost);
        var send = async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await harness.Connection.SendAsync(new byte[1000], WebSocketMessageType.Binary);
                await Task.Delay(1);
            }
        };
        await send.Should().ThrowAsync<WebSocketException>();
        await harness.Connection.DisposeAsync().Within();
    }

    // As a client, a reset after a finished close handshake is no error.
    [Fact]
    public async Task AsClient_ResetAfterTheHandshake_StaysClean()
    {
        var (server, client, _, _) = await Harness.ConnectAsync(tls: false);
        await using var connection = WebSocketConnection.Create(client, new WebSocketConnectionOptions { Role = WebSocketRole.Client });
        var peer = (NetworkStream)server;
        await peer.WriteAsync(Frames.CloseFrame(1000, masked: false));
        (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        peer.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        peer.Socket.Close();
        await connection.DisposeAsync().Within();
        connection.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, null, WebSocketCloseInitiator.Remote, true));
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task AsClient_WaitsForTheServerToCloseTheTransport(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.Role = WebSocketRole.Client;
            options.TimeProvider = clock;
        });
        var dispose = harness.Connection.DisposeAsync().AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).Masked.Should().BeTrue();
        await harness.Peer.SendAsync(Frames.CloseFrame(1000, masked: false));
        await Bounds.Until(() => harness.Connection.CloseResult is not null);
        await Task.Delay(20);
        dispose.IsCompleted.Should().BeFalse("the server closes first");
        harness.Peer.Finish();
        await dispose.Within();
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task AsClient_ServerNeverClosesTheTransport_EndsWithinASecond()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.Role = WebSocketRole.Client;
            options.TimeProvider = clock;
        });
        await harness.Peer.SendAsync(Frames.CloseFrame(1000, masked: false));
        await harness.Connection.ReceiveAsync().Within();
        var dispose = harness.Connection.DisposeAsync().AsTask();
        await Task.Delay(20);
        dispose.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        await dispose.Within();
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task DisposeAsync_Open_ClosesWith1000(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var dispose = harness.Connection.DisposeAsync().AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await dispose.Within();
        (await harness.Peer.TryReadAsync()).Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task DisposeAsync_Concurrently_IsOneDisposal(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        var senders = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await harness.Connection.SendAsync("x");
                    await Task.Yield();
                }
            }
            catch (WebSocketException)
            {
            }
        })).ToArray();
        var peer = Task.Run(async () =>
        {
            while ((await harness.Peer.ReadAsync()).Opcode != Frames.Close)
            {
            }

            await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        });
        await Task.Delay(5);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await harness.Connection.DisposeAsync()))).Within();
        await peer.Within();
        await Task.WhenAll(senders).Within();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await harness.Peer.TryReadAsync()).Should().BeNull("nothing follows the Close frame");
    }

    // The other end of the pipe no longer reads, but it does not end its own writing either.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposeAsync_OutputBrokenAndAReceivePending_TheReceiveEnds(bool leaveOpen)
    {
        var (own, peer) = Pipes.CreatePair();
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions { LeaveOpen = leaveOpen });
        var receive = connection.ReceiveAsync().AsTask();
        await peer.Input.CompleteAsync();
        var send = async () =>
        {
            while (true)
                await connection.SendAsync("x");
        };
        await send.Should().ThrowAsync<WebSocketException>();
        connection.CloseResult.Should().Be(Lost);
        await connection.DisposeAsync().Within();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    // Its answer cannot come. The clock stands still, so no deadline helps.
    [Theory]
    [InlineData(WebSocketRole.Server)]
    [InlineData(WebSocketRole.Client)]
    public async Task CloseAsync_OnlyTheOutputIsBroken_EndsAtOnce(WebSocketRole role)
    {
        var (own, peer) = Pipes.CreatePair();
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = role, TimeProvider = new FakeTimeProvider() });
        await peer.Input.CompleteAsync();
        (await connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().Be(Lost);
        await connection.DisposeAsync().Within();
    }

    [Fact]
    public async Task CloseAsync_OutputBreaksWhileItsCloseIsWritten_EndsAtOnce()
    {
        StallingStream stall = null!;
        await using var harness = Harness.Over(stream => stall = new StallingStream(stream), options => options.TimeProvider = new FakeTimeProvider());
        stall.Stall();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await stall.Stalled.Within();
        close.IsCompleted.Should().BeFalse();
        stall.Release(new IOException("Broken by the test."));
        (await close.Within()).Should().Be(Lost);
    }

    // RFC 6455 §5.5.1: the last frame is the Close, however many threads send while it is enqueued.
    [Fact]
    public async Task CloseAsync_RacingWithSenders_NothingFollowsTheCloseFrame()
    {
        for (var round = 0; round < 300; round++)
        {
            var stream = new ScriptedStream();
            var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { CloseTimeout = TimeSpan.FromSeconds(10) });
            using var start = new Barrier(4);
            var senders = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                start.SignalAndWait();
                try
                {
                    for (var i = 0; i < 10_000; i++)
                        await connection.SendAsync("x");
                }
                catch (WebSocketException)
                {
                }
            })).ToArray();
            start.SignalAndWait();
            Thread.SpinWait(round * 10);
            var close = connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
            await Task.WhenAll(senders).Within();
            stream.Put(Frames.CloseFrame(1000));
            await close.Within();
            await connection.DisposeAsync().Within();
            var frames = WireFrame.DecodeAll(stream.Written);
            frames.FindIndex(frame => frame.Opcode == Frames.Close).Should().Be(frames.Count - 1);
        }
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Abort_WhileEverythingIsPending_EverythingEnds(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.SendBufferSize = 1000);
        var closed = new TaskCompletionSource();
        harness.Connection.Closed.Register(closed.SetResult);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        var ping = harness.Connection.PingAsync().AsTask();
        Task? waiting = null;
        for (var i = 0; i < 100_000 && waiting is null; i++)
        {
            var send = harness.Connection.SendAsync(new byte[900], WebSocketMessageType.Binary);
            if (!send.IsCompleted)
                waiting = send.AsTask();
        }

        harness.Connection.Abort();
        harness.Connection.Abort();
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        await ((Func<Task>)(() => ping.Within())).Should().ThrowAsync<WebSocketException>();
        await ((Func<Task>)(() => waiting!.Within())).Should().ThrowAsync<WebSocketException>();
        await closed.Task.Within();
        harness.Connection.State.Should().Be(WebSocketState.Aborted);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Local, false));
        await harness.Connection.DisposeAsync().Within();
        var late = () => harness.Connection.PingAsync().AsTask();
        await late.Should().ThrowAsync<WebSocketException>();
    }

    // A continuation that blocks belongs neither on the thread that aborts nor on the wheel of all connections.
    [Fact]
    public async Task Abort_ReceiverBlocksInItsContinuation_ReturnsAnyway()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var release = new ManualResetEventSlim();
        var handler = Handle();
        await Task.Run(harness.Connection.Abort).Within();
        release.Set();
        await handler.Within();

        async Task Handle()
        {
            await harness.Connection.ReceiveAsync().ConfigureAwait(false);
            release.Wait(Bounds.Generous);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transport_ThrowsAnything_TheConnectionEndsAndNotTheProcess(bool asynchronously)
    {
        foreach (var error in new Exception[] { new TimeoutException(), new FormatException(), new NotSupportedException(), new ArgumentException("x") })
        {
            await using var reading = WebSocketConnection.Create(new ThrowingStream(error, asynchronously, throwsOnRead: true));
            (await reading.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
            reading.CloseResult.Should().Be(Lost);

            await using var writing = WebSocketConnection.Create(new ThrowingStream(error, asynchronously, throwsOnRead: false));
            await writing.SendAsync("x");
            await Bounds.Until(() => writing.CloseResult == Lost);
        }
    }

    // Its callbacks run on the thread pool: one that blocks keeps nobody.
    [Fact]
    public async Task Closed_CallbackBlocks_AbortReturnsAnyway()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var release = new ManualResetEventSlim();
        var ran = new TaskCompletionSource();
        harness.Connection.Closed.Register(() =>
        {
            release.Wait(Bounds.Generous);
            ran.SetResult();
        });
        await Task.Run(harness.Connection.Abort).Within();
        ran.Task.IsCompleted.Should().BeFalse();
        release.Set();
        await ran.Task.Within();
    }

    [Fact]
    public async Task Closed_TakenAfterTheEnd_IsCancelled()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        harness.Connection.Abort();
        await Bounds.Until(() => harness.Connection.Closed.IsCancellationRequested);
    }

    [Theory]
    [InlineData(1004, null)]
    [InlineData(1006, null)]
    [InlineData(999, null)]
    [InlineData(5000, null)]
    [InlineData(1005, "a reason without a code")]
    public async Task CloseAsync_InvalidStatus_Throws(int status, string? reason)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var close = () => harness.Connection.CloseAsync((WebSocketCloseStatus)status, reason).AsTask();
        await close.Should().ThrowAsync<ArgumentException>();
        var tooLong = () => harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, new string('é', 62)).AsTask();
        await tooLong.Should().ThrowAsync<ArgumentException>();
        harness.Connection.State.Should().Be(WebSocketState.Open);
    }

    // A receiver on another thread may be reading the payload while the host disposes the connection.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    public async Task DisposeAsync_WhileAPayloadIsLent_ItsMemoryIsNotReused(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100)));
        var message = await harness.Connection.ReceiveAsync().Within();
        var payload = message.Payload;
        harness.Connection.Abort();
        await harness.Connection.DisposeAsync().Within();
        for (var length = 16; length <= 4096; length *= 2)
        {
            var taken = Enumerable.Range(0, 40).Select(_ => System.Buffers.ArrayPool<byte>.Shared.Rent(length)).ToList();
            taken.ForEach(array => array.AsSpan().Fill(0xEE));
            taken.ForEach(array => System.Buffers.ArrayPool<byte>.Shared.Return(array));
        }

        System.Buffers.BuffersExtensions.ToArray(payload).Should().Equal(Frames.Pattern(100));
        var late = () => message.Payload;
        late.Should().Throw<InvalidOperationException>();
    }

    private sealed class ThrowingStream(Exception error, bool asynchronously, bool throwsOnRead) : WrappingStream(Null)
    {
        private readonly TaskCompletionSource<int> _never = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!throwsOnRead)
                return await _never.Task;
            if (asynchronously)
                await Task.Yield();
            throw error;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (asynchronously)
                await Task.Yield();
            throw error;
        }

        protected override void Dispose(bool disposing)
        {
            _never.TrySetResult(0);
            base.Dispose(disposing);
        }
    }
}
