using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// A connection used from a thread with a SynchronizationContext (a window, say) does its own work elsewhere.
public class ContextTests
{
    public static TheoryData<Wire> Wires => [Wire.Pipe, Wire.Stream, Wire.Socket];

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task UsedUnderAContext_TransportCallbacksDoNotRunOnIt(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var context = new DeadContext();
        // A thread of its own, which blocks as a user interface's thread would: nothing posted to its context ever runs.
        var text = await Task.Factory.StartNew(
            () =>
            {
                SynchronizationContext.SetSynchronizationContext(context);
                var receive = harness.Connection.ReceiveAsync().AsTask();
                var ping = harness.Connection.PingAsync().AsTask();
                harness.Peer.SendAsync(Frames.PingFrame("p"), Frames.TextFrame("message")).Wait(Bounds.Generous);
                receive.Wait(Bounds.Generous).Should().BeTrue();
                for (var i = 0; i < 50; i++)
                    harness.Connection.SendAsync(new byte[10_000], System.Net.WebSockets.WebSocketMessageType.Binary).AsTask();
                harness.Connection.Abort();
                return receive.Result.Type;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Within();
        text.Should().Be(System.Net.WebSockets.WebSocketMessageType.Text);
        context.Posts.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task BridgedAndUsedUnderAContext_FragmentsAreNotSentOnIt(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.MaxFrameSize = 125);
        var context = new DeadContext();
        await Task.Factory.StartNew(
            () =>
            {
                SynchronizationContext.SetSynchronizationContext(context);
                var socket = harness.Connection.AsWebSocket();
                var send = socket.SendAsync(new byte[300].AsMemory(), System.Net.WebSockets.WebSocketMessageType.Binary, endOfMessage: false, default).AsTask();
                send.Wait(Bounds.Generous).Should().BeTrue();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Within();
        context.Posts.Should().Be(0);
        foreach (var length in (int[])[125, 125, 50])
            (await harness.Peer.ReadAsync()).Payload.Should().HaveCount(length);
    }

    [Fact]
    public async Task Receive_AsyncLocals_AreTheReceiversOwn()
    {
        var local = new AsyncLocal<string>();
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        local.Value = "receiver";
        var seen = Receive();
        local.Value = "sender";
        await harness.Peer.SendAsync(Frames.TextFrame("x"));
        (await seen.Within()).Should().Be("receiver");

        async Task<string?> Receive()
        {
            await harness.Connection.ReceiveAsync();
            return local.Value;
        }
    }

    private sealed class DeadContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posts);

        public override void Send(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posts);

        public override SynchronizationContext CreateCopy() => this;
    }
}
