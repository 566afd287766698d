using System.Buffers.Binary;
using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Cancelling a receive ends the wait and nothing else: no byte is lost, wherever the transport stands.
public class CancelReceiveTests
{
    [Theory]
    [CombinatorialWires(0, 1, 3, 7, 8, 9, 20, 108, 110, 130, 138)]
    public async Task ReceiveAsync_CancelledAtAnyPoint_ReadsOnWithoutLoss(Wire wire, int arrived)
    {
        var payload = Frames.Pattern(100);
        var bytes = Frames.Join(Frames.BinaryFrame(payload, fin: false), Frames.PingFrame("p"), Frames.ContinuationFrame(payload.AsSpan(0, 20), fin: true), Frames.TextFrame("after"));
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendBytesAsync(bytes.AsMemory(0, arrived));

        // One cancelled while it waits, one after it has taken what there is, one cancelled before it began.
        await CancelWhilePending(harness.Connection);
        await Task.Delay(1);
        await CancelWhilePending(harness.Connection);
        var late = () => harness.Connection.ReceiveAsync(new CancellationToken(canceled: true)).AsTask();
        await late.Should().ThrowAsync<OperationCanceledException>();

        await harness.Peer.SendBytesAsync(bytes.AsMemory(arrived));
        var message = await harness.Connection.ReceiveAsync().Within();
        message.Type.Should().Be(WebSocketMessageType.Binary);
        message.ToArray().Should().Equal([.. payload, .. payload[..20]]);
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("after");
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("p");
    }

    // What arrives while nobody receives is only looked through. The rest of the frame in progress and more stand in the buffer,
    // which fills up to its last byte in every way as the sizes grow.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    public async Task ReceiveAsync_CancelledInAPayloadAndMuchArrives_NothingIsLost(Wire wire)
    {
        for (var size = 1; size < 100; size++)
        {
            await using var harness = await Harness.CreateAsync(wire);
            var first = Frames.BinaryFrame(Frames.Pattern(30 + size));
            await harness.Peer.SendBytesAsync(first.AsMemory(0, 20));
            await CancelWhilePending(harness.Connection);
            await harness.Peer.SendBytesAsync(first.AsMemory(20));
            for (var i = 0; i < 10; i++)
                await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(size, i)));
            await harness.Peer.SendAsync(Frames.PingFrame());
            await harness.Peer.ReadAsync(Frames.Pong);

            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(30 + size));
            for (var i = 0; i < 10; i++)
                (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(size, i));
        }
    }

    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    [InlineData(Wire.Tls)]
    public async Task ReceiveAsync_CancelRacingWithArrival_NeitherLosesNorDuplicates(Wire wire)
    {
        var count = wire == Wire.Pipe ? 10_000 : 4_000;
        await using var harness = await Harness.CreateAsync(wire);
        using var window = new SemaphoreSlim(2);   // few are under way, so that most receives have to wait
        var sender = Task.Run(async () =>
        {
            var random = new Random(1);
            for (var i = 0; i < count; i++)
            {
                await window.WaitAsync();
                var frame = Frames.BinaryFrame(BitConverter.GetBytes(i));
                var at = random.Next(frame.Length * 3);
                if (at < frame.Length)
                {
                    await harness.Peer.SendBytesAsync(frame.AsMemory(0, at));
                    frame = frame[at..];
                }

                await harness.Peer.SendBytesAsync(frame);
            }
        });

        var spin = new Random(2);
        var cancelled = 0;
        for (var expected = 0; expected < count;)
        {
            var cancel = new CancellationTokenSource();   // not disposed: the other thread may come late
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            if (!receive.IsCompleted)
            {
                var rounds = spin.Next(200);
                _ = ThreadPool.UnsafeQueueUserWorkItem(
                    _ =>
                    {
                        Thread.SpinWait(rounds);
                        cancel.Cancel();
                    },
                    null);
            }

            try
            {
                var message = await receive.Within();
                BinaryPrimitives.ReadInt32LittleEndian(message.ToArray()).Should().Be(expected);
                expected++;
                window.Release();
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }

        await sender.Within();
        cancelled.Should().BePositive("the race was really run");
    }

    [Fact]
    public async Task ReadAllAsync_Cancelled_ASecondLoopReadsOn()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var cancel = new CancellationTokenSource();
        var received = new List<string>();
        await harness.Peer.SendAsync(Frames.TextFrame("1"));
        var loop = async () =>
        {
            await foreach (var message in harness.Connection.ReadAllAsync(cancel.Token))
            {
                received.Add(message.GetText());
                cancel.CancelAfter(1);
            }
        };

        (await loop.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancel.Token);
        await harness.Peer.SendAsync(Frames.TextFrame("2"), Frames.CloseFrame(1000));
        await foreach (var message in harness.Connection.ReadAllAsync())
            received.Add(message.GetText());
        received.Should().Equal("1", "2");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReceiveAsync_CancelledOppositeABclSocket_BothGoOn(bool tls)
    {
        var (server, client, _, _) = await Harness.ConnectAsync(tls);
        await using var connection = WebSocketConnection.Create(server);
        using var socket = WebSocket.CreateFromStream(client, new WebSocketCreationOptions());

        for (var i = 0; i < 20; i++)
        {
            await CancelWhilePending(connection);
            await socket.SendAsync(Frames.Pattern(1000, i), WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
            await CancelWhilePending(connection);
            await socket.SendAsync(Frames.Pattern(10, i), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            var message = await connection.ReceiveAsync().Within();
            message.ToArray().Should().Equal([.. Frames.Pattern(1000, i), .. Frames.Pattern(10, i)]);
            await connection.SendAsync(message.Payload, message.Type);
            var buffer = new byte[2000];
            var result = await socket.ReceiveAsync(buffer, CancellationToken.None).Within();
            buffer[..result.Count].Should().Equal([.. Frames.Pattern(1000, i), .. Frames.Pattern(10, i)]);
        }

        var close = socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        (await connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        await close.Within();
        connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    private static async Task CancelWhilePending(WebSocketConnection connection)
    {
        using var cancel = new CancellationTokenSource();
        var receive = connection.ReceiveAsync(cancel.Token).AsTask();
        receive.IsCompleted.Should().BeFalse();
        await cancel.CancelAsync();
        var wait = () => receive.Within();
        (await wait.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancel.Token);
    }
}
