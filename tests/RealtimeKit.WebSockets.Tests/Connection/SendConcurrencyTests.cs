using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Serialization;
using RealtimeKit.WebSockets.Tests.Connection.Kit;
using RealtimeKit.WebSockets.Tests.Framing;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Sends from many threads: in order per thread, nothing lost, nothing interleaved.
public class SendConcurrencyTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task SendAsync_SixteenThreads_OrderPerThreadWithoutLossOrInterleaving(Wire wire)
    {
        const int Threads = 16;
        var each = wire == Wire.OneByteStream ? 50 : 300;
        await using var harness = await Harness.CreateAsync(wire, options => options.SendBufferSize = 4096);
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            for (var i = 0; i < each; i++)
                await harness.Connection.SendAsync(Numbered(thread, i, random.Next(8, 700)), WebSocketMessageType.Binary);
        })).ToArray();

        await CheckNumbered(harness.Peer, Threads, each);
        await Task.WhenAll(senders).Within();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_SixteenThreadsWhileTheWriterStalls_NothingLostOrReordered(bool tls)
    {
        const int Threads = 16;
        const int Each = 60;
        var (server, client, _, _) = await Harness.ConnectAsync(tls);
        var stalling = new StallingStream(server);
        await using var connection = WebSocketConnection.Create(stalling, new WebSocketConnectionOptions { SendBufferSize = 2048 });
        await using var peer = new Peer(client, () => { }, () => { });
        stalling.Stall();
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await connection.SendAsync(Numbered(thread, i, 100 + thread * 10), WebSocketMessageType.Binary);
        })).ToArray();

        var check = CheckNumbered(peer, Threads, Each);
        for (var i = 0; i < 40 && !check.IsCompleted; i++)
        {
            await Task.WhenAny(stalling.Stalled.Within(), check);
            stalling.Release();
            stalling.Stall();
        }

        stalling.Release();
        await Task.WhenAll(senders).Within();
        stalling.Release();
        await check;
        connection.Abort();
        await connection.DisposeAsync();
    }

    // The known trap: over TLS a reader that stalls, and bytes written while a flush is pending.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    [InlineData(Wire.Tls)]
    public async Task SendAsync_SixteenThreadsAgainstAReaderThatStalls_NothingLost(Wire wire)
    {
        const int Threads = 16;
        const int Each = 100;
        await using var harness = await Harness.CreateAsync(wire);
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await harness.Connection.SendAsync(Numbered(thread, i, 5000), WebSocketMessageType.Binary);
        })).ToArray();

        var all = Task.WhenAll(senders);
        await Task.WhenAny(all, Task.Delay(100));   // 8 MB do not fit anywhere: the senders wait
        await CheckNumbered(harness.Peer, Threads, Each);
        await all.Within();
    }

    private static byte[] Numbered(int thread, int number, int size)
    {
        var payload = Frames.Pattern(size, thread + number);
        BinaryPrimitives.WriteInt32LittleEndian(payload, thread);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), number);
        return payload;
    }

    private static async Task CheckNumbered(Peer peer, int threads, int each)
    {
        var next = new int[threads];
        for (var i = 0; i < threads * each; i++)
        {
            var frame = await peer.ReadAsync(Frames.Binary);
            var thread = BinaryPrimitives.ReadInt32LittleEndian(frame.Payload);
            var number = BinaryPrimitives.ReadInt32LittleEndian(frame.Payload.AsSpan(4));
            number.Should().Be(next[thread]++, "thread {0} sends in order", thread);
            frame.Payload.AsSpan().SequenceEqual(Numbered(thread, number, frame.Payload.Length)).Should().BeTrue();
        }
    }
}
