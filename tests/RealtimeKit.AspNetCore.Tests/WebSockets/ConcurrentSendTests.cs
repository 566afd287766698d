using System.Buffers.Binary;
using System.Net.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>
/// A PipeWriter that is touched while its flush is pending loses bytes over TLS, where Kestrel's output is a stream's: the senders
/// must wait, whoever they are, and nothing may be lost.
/// </summary>
public class ConcurrentSendTests
{
    private const int Senders = 16;
    private const int MessagesPerSender = 1000;
    private const int MessageSize = 5000;   // a sender's messages alone are more than what lies between it and the reader takes

    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Send_ManySendersAgainstAStalledReader_EveryByteArrivesInOrder(Wire wire)
    {
        var waited = 0;
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await Parallel.ForAsync(0, Senders, new ParallelOptions { MaxDegreeOfParallelism = Senders }, async (sender, cancel) =>
            {
                var hasWaited = false;
                for (var n = 0; n < MessagesPerSender; n++)
                {
                    var send = connection.SendAsync(Message(sender, n), WebSocketMessageType.Binary, cancel);
                    if (!send.IsCompleted && !hasWaited)
                    {
                        hasWaited = true;
                        Interlocked.Increment(ref waited);
                    }

                    await send;
                }
            });
        });

        using var client = await server.ConnectAsync();
        await Until.TrueAsync(() => Volatile.Read(ref waited) == Senders);   // all stand: the reader has stalled them

        var next = new int[Senders];
        for (var i = 0; i < Senders * MessagesPerSender; i++)
        {
            var (type, payload) = await client.ReceiveMessageAsync();
            type.Should().Be(WebSocketMessageType.Binary);
            var sender = BinaryPrimitives.ReadInt32BigEndian(payload);
            var n = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(4));
            n.Should().Be(next[sender]++, "a sender's messages keep their order");
            payload.AsSpan().SequenceEqual(Message(sender, n)).Should().BeTrue("no frame is damaged");
        }

        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    private static byte[] Message(int sender, int n)
    {
        var message = new byte[MessageSize];
        BinaryPrimitives.WriteInt32BigEndian(message, sender);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), n);
        message.AsSpan(8).Fill((byte)(sender * 31 + n));
        return message;
    }
}
