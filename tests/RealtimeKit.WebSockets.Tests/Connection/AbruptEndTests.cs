using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Ends without a closing handshake (RFC 6455 §7.1.7): aborts, losses, and transports that fail.
public class AbruptEndTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

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
        harness.Connection.CloseResult.Should().Be(CloseTests.Lost);
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().Be(CloseTests.Lost);
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
        harness.Connection.CloseResult.Should().Be(CloseTests.Lost);
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

    // Its answer cannot come.
    [Theory]
    [InlineData(WebSocketRole.Server)]
    [InlineData(WebSocketRole.Client)]
    public async Task CloseAsync_OnlyTheOutputIsBroken_DoesNotWaitForAnAnswer(WebSocketRole role)
    {
        var (own, peer) = Pipes.CreatePair();
        var clock = new FakeTimeProvider();
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = role, TimeProvider = clock, CloseTimeout = TimeSpan.FromMinutes(1) });
        await peer.Input.CompleteAsync();
        var close = connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        (await clock.PassUntil(close, TimeSpan.FromSeconds(2))).Should().Be(CloseTests.Lost);
        await connection.DisposeAsync().Within();
    }

    [Fact]
    public async Task CloseAsync_OutputBreaksWhileItsCloseIsWritten_DoesNotWaitForAnAnswer()
    {
        StallingStream stall = null!;
        var clock = new FakeTimeProvider();
        await using var harness = Harness.Over(stream => stall = new StallingStream(stream), options =>
        {
            options.TimeProvider = clock;
            options.CloseTimeout = TimeSpan.FromMinutes(1);
        });
        stall.Stall();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await stall.Stalled.Within();
        close.IsCompleted.Should().BeFalse();
        stall.Release(new IOException("Broken by the test."));
        await Bounds.Until(() => harness.Connection.CloseResult is not null, "the break is seen");
        (await clock.PassUntil(close, TimeSpan.FromSeconds(10))).Should().Be(CloseTests.Lost);
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
            reading.CloseResult.Should().Be(CloseTests.Lost);

            await using var writing = WebSocketConnection.Create(new ThrowingStream(error, asynchronously, throwsOnRead: false));
            await writing.SendAsync("x");
            await Bounds.Until(() => writing.CloseResult == CloseTests.Lost);
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
