using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Bridges;

/// <summary>Where ours is meant to differ from the BCL's sockets.</summary>
public class AsWebSocketTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task ReceiveAsync_Cancelled_LeavesTheSocketOpen()
    {
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true);
        var socket = harness.Socket;
        var buffer = new byte[8];
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var receive = socket.ReceiveAsync(buffer.AsMemory(), cancel.Token).AsTask();
            await cancel.CancelAsync();
            await FluentActions.Awaiting(() => receive.Within()).Should().ThrowAsync<OperationCanceledException>();
            socket.State.Should().Be(WebSocketState.Open);
        }

        await harness.SendAsync(Frames.Binary, [1, 2]);
        (await socket.ReceiveAsync(buffer.AsMemory(), Never).Within()).Count.Should().Be(2);
    }

    [Fact]
    public async Task ReceiveAsync_CannotReceive_FailsTheTask()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var socket = server.AsWebSocket();
        var first = socket.ReceiveAsync(new byte[1].AsMemory(), Never).AsTask();
        ValueTask<ValueWebSocketReceiveResult> receive = default;
        FluentActions.Invoking(() => receive = socket.ReceiveAsync(new byte[1].AsMemory(), Never)).Should().NotThrow();
        await FluentActions.Awaiting(() => receive.Within()).Should().ThrowAsync<InvalidOperationException>("a receive is pending");
        server.Abort();
        await FluentActions.Awaiting(() => first.Within()).Should().ThrowAsync<OperationCanceledException>();
        client.Abort();
        await client.DisposeAsync().Within();
        await server.DisposeAsync().Within();

        // The end is already there for a socket that has not seen it.
        (client, server) = WebSocketConnection.CreatePair();
        socket = server.AsWebSocket();
        client.Abort();
        await client.DisposeAsync().Within();
        FluentActions.Invoking(() => receive = socket.ReceiveAsync(new byte[1].AsMemory(), Never)).Should().NotThrow();
        await FluentActions.Awaiting(() => receive.Within()).Should().ThrowAsync<WebSocketException>();
        await server.DisposeAsync().Within();
    }

    [Fact]
    public async Task CloseAsync_EmptyStatus_SendsNone()
    {
        // RFC 6455 §7.4.1: 1005 must not stand on the wire, where the BCL's sockets write it.
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true);
        await harness.Socket.CloseOutputAsync(WebSocketCloseStatus.Empty, null, Never);
        (await harness.Peer.ReadAsync(Frames.Close)).Payload.Should().BeEmpty();
    }

    [Fact]
    public async Task CloseAsync_PeerNeverAnswers_EndsAfterTheDeadline()
    {
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true, options => options.CloseTimeout = TimeSpan.FromMilliseconds(50));
        (await FluentActions.Awaiting(() => harness.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Never).Within()).Should().ThrowAsync<WebSocketException>())
            .Which.WebSocketErrorCode.Should().Be(WebSocketError.ConnectionClosedPrematurely);
        harness.Socket.State.Should().Be(WebSocketState.Aborted);
    }

    [Fact]
    public async Task PeerCloses_NobodyReceives_IsNotAnsweredForTheCaller()
    {
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true);
        await harness.SendCloseAsync(1000);
        // A ping that is answered shows that the Close before it was not: nothing may follow a Close frame.
        (await harness.Socket.ReceiveAsync(new byte[1].AsMemory(), Never).Within()).MessageType.Should().Be(WebSocketMessageType.Close);
        await harness.Socket.CloseAsync((WebSocketCloseStatus)4444, null, Never).Within();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(4444, "the first Close frame is the caller's");
    }

    [Fact]
    public async Task PeerCloses_DisposedWithoutAnAnswer_EndsTheConnection()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var socket = server.AsWebSocket();
        var close = client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Never);
        await socket.ReceiveAsync(new byte[1].AsMemory(), Never).Within();
        server.CloseResult.Should().BeNull("it has not been answered");
        // A host that gets the connection back answers for an application that did not.
        await server.DisposeAsync().Within();
        (await close.Within()).IsClean.Should().BeTrue();
        server.CloseResult!.Value.Initiator.Should().Be(WebSocketCloseInitiator.Remote);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task SendAsync_LargerThanTheFrameLimit_IsSplit()
    {
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true, options => options.MaxFrameSize = 125);
        await harness.Socket.SendAsync(new byte[300], WebSocketMessageType.Binary, endOfMessage: false, Never);
        await harness.Socket.SendAsync(new byte[10], WebSocketMessageType.Binary, endOfMessage: true, Never);
        foreach (var (opcode, fin, length) in new[] { (Frames.Binary, false, 125), (Frames.Continuation, false, 125), (Frames.Continuation, false, 50), (Frames.Continuation, true, 10) })
        {
            var frame = await harness.Peer.ReadAsync();
            (frame.Opcode, frame.Fin, frame.Payload.Length).Should().Be((opcode, fin, length));
        }
    }

    [Fact]
    public async Task SendAsync_PeerReadsLate_WaitsForRoomInOrder()
    {
        await using var harness = await SocketHarness.CreateAsync(Implementation.Ours, isServer: true, options => options.SendBufferSize = 1024);
        var chunk = new byte[64 * 1024];
        var send = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                chunk[0] = (byte)i;
                await harness.Socket.SendAsync(chunk, WebSocketMessageType.Binary, endOfMessage: i == 199, Never);
            }
        }, Never);
        for (var i = 0; i < 200; i++)
        {
            var frame = await harness.Peer.ReadAsync(i == 0 ? Frames.Binary : Frames.Continuation);
            frame.Payload[0].Should().Be((byte)i);
            frame.Fin.Should().Be(i == 199);
        }

        await send.Within();
    }

    // A fragment that is missing cannot be made up for: what follows would belong to another message.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_AWaitingFragmentIsCancelled_AbortsTheSocket(bool isLast)
    {
        var (harness, stream) = SendTests.Stalled(1024);
        await using var _ = harness;
        var socket = harness.Connection.AsWebSocket();
        await socket.SendAsync(new byte[1000].AsMemory(), WebSocketMessageType.Text, endOfMessage: !isLast, Never);
        await stream.Stalled.Within();
        using var cancel = new CancellationTokenSource();
        var send = socket.SendAsync(new byte[1000].AsMemory(), WebSocketMessageType.Text, endOfMessage: isLast, cancel.Token).AsTask();
        send.IsCompleted.Should().BeFalse("there is no room");
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => send.Within()).Should().ThrowAsync<OperationCanceledException>();
        socket.State.Should().Be(WebSocketState.Aborted);
        await FluentActions.Awaiting(() => socket.SendAsync(new byte[1].AsMemory(), WebSocketMessageType.Text, endOfMessage: true, Never).Within())
            .Should().ThrowAsync<WebSocketException>();
    }

    [Fact]
    public async Task SendAsync_AWaitingMessageIsCancelled_LeavesTheSocketOpen()
    {
        var (harness, stream) = SendTests.Stalled(1024);
        await using var _ = harness;
        var socket = harness.Connection.AsWebSocket();
        await socket.SendAsync(new byte[1000].AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, Never);
        await stream.Stalled.Within();
        using var cancel = new CancellationTokenSource();
        var send = socket.SendAsync(new byte[1000].AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => send.Within()).Should().ThrowAsync<OperationCanceledException>();
        stream.Release();
        await socket.SendAsync("next"u8.ToArray().AsMemory(), WebSocketMessageType.Text, endOfMessage: true, Never).Within();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("next");
    }

    [Fact]
    public void AsWebSocket_Twice_IsTheSame()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        client.AsWebSocket().Should().BeSameAs(client.AsWebSocket());
        FluentActions.Invoking(client.AsDuplexPipe).Should().Throw<InvalidOperationException>();
        client.Abort();
        server.Abort();
    }

#if !CHECKING_POOL
    [Fact]
    public async Task Echo_Steady_AllocatesNothing()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var (left, right) = (client.AsWebSocket(), server.AsWebSocket());
        var (sent, received) = (new byte[100], new byte[100]);
        // The counter is the thread's, and a loop that waits may go on elsewhere: only rounds that began and ended on one thread count.
        var allocated = long.MaxValue;
        for (var round = 0; round < 30 && allocated >= 2000; round++)
        {
            var thread = Environment.CurrentManagedThreadId;
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 2000; i++)
            {
                await left.SendAsync(sent.AsMemory(), WebSocketMessageType.Binary, WebSocketMessageFlags.EndOfMessage, Never);
                ValueWebSocketReceiveResult result;
                do
                    result = await right.ReceiveAsync(received.AsMemory(), Never);
                while (!result.EndOfMessage);
            }

            if (thread == Environment.CurrentManagedThreadId)
                allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        allocated.Should().BeLessThan(2000, "a round of 2,000 messages allocates nothing for each");
        client.Abort();
        server.Abort();
        await server.DisposeAsync();
    }
#endif
}
