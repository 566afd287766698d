using System.Net.WebSockets;
using System.Threading.Channels;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class CancelReceiveTests
{
    public static TheoryData<Wire> Http1Wires => Wires.Http1;

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Receive_CancelledInTheMiddleOfAFrame_GoesOnWhereItStopped(Wire wire)
    {
        var arrived = Channel.CreateUnbounded<bool>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            var before = connection.LastReceived;
            for (var round = 0; round < 40; round++)
            {
                using (var cancel = new CancellationTokenSource())
                {
                    var receive = connection.ReceiveAsync(cancel.Token).AsTask();
                    if (round % 2 == 1)
                        await Until.TrueAsync(() => connection.LastReceived > before);
                    await cancel.CancelAsync();
                    var cancelled = () => receive;
                    await cancelled.Should().ThrowAsync<OperationCanceledException>();
                }

                arrived.Writer.TryWrite(true);
                var message = await connection.ReceiveAsync();
                before = connection.LastReceived;   // before the echo, upon which the client sends again
                await connection.SendAsync(message.Payload, message.Type);
            }
        });

        await using var client = await server.ConnectRawAsync();
        var random = new Random(4);
        for (var round = 0; round < 40; round++)
        {
            var payload = new byte[round % 3 == 0 ? 40_000 : 200];
            random.NextBytes(payload);
            var frame = RawWebSocket.Frame(2, payload);
            var cut = random.Next(1, frame.Length);
            await client.SendAsync(frame[..cut]);
            await arrived.Reader.ReadAsync(Until.Cancelled);
            await client.SendAsync(frame[cut..]);
            (await client.ReceiveAsync())!.Payload.Should().Equal(payload);
        }

        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Read_CancelledWhileStreaming_GoesOnWhereItStopped(Wire wire)
    {
        const int Size = 3_000_000;   // more than a whole-message receive takes
        var sum = new TaskCompletionSource<long>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            var total = 0L;
            for (var i = 0; ; i++)
            {
                using var cancel = new CancellationTokenSource();
                var read = connection.ReadAsync(cancel.Token);
                if (i % 3 == 0)
                    await cancel.CancelAsync();
                WebSocketReadResult part;
                try
                {
                    part = await read;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }

                foreach (var segment in part.Payload)
                    foreach (var value in segment.Span)
                        total += value;
                connection.AdvanceTo(part.Payload.End);
                if (part.IsEndOfMessage)
                    break;
            }

            sum.SetResult(total);
        });
        await using var client = await server.ConnectRawAsync();
        var payload = new byte[Size];
        new Random(5).NextBytes(payload);
        await client.SendAsync(RawWebSocket.Frame(2, payload));
        (await sum.Task).Should().Be(payload.Sum(value => (long)value));
    }
}
