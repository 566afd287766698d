using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets.Tests.Compression;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Streaming compressed messages of any size in parts.
public class CompressionReadPartsTests
{
    private const int Rsv1 = 4;

    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task ReadAsync_64MiBCompressed_InBoundedMemory(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            CompressionReceiveTests.Compressing(options);
            options.Compression!.MaxInflateRatio = 0;
        });
        const int Size = 64 << 20;
        var message = new byte[Size];
        for (var i = 0; i < Size; i++)
            message[i] = (byte)(i >> 16);
        var send = harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Binary, message));

        var at = 0;
        var largest = 0L;
        var differs = 0;
        while (at < Size)
        {
            var part = await harness.Connection.ReadAsync().Within();
            part.IsEndOfMessage.Should().Be(at + part.Payload.Length == Size);
            largest = Math.Max(largest, part.Payload.Length);
            foreach (var segment in part.Payload)
            {
                differs += message.AsSpan(at, segment.Length).SequenceEqual(segment.Span) ? 0 : 1;
                at += segment.Length;
            }

            harness.Connection.AdvanceTo(part.Payload.End);
        }

        differs.Should().Be(0);
        largest.Should().BeLessThanOrEqualTo(64 * 1024);
        await send;
        await harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Text, "next"u8.ToArray()));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("next");
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReadAsync_UnconsumedRests_ComeAgain(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, CompressionReceiveTests.Compressing);
        var message = Samples.Create("json", 30_000);
        var payload = Zlib.Compress(message);
        var send = harness.Peer.SendAsync(
            Frames.Frame(Frames.Binary, payload.AsSpan(0, 1000), fin: false, rsv: Rsv1), Frames.PingFrame(), Frames.ContinuationFrame(payload.AsSpan(1000), fin: true));
        var received = new List<byte>();
        var random = new Random(3);
        while (true)
        {
            var part = await harness.Connection.ReadAsync().Within();
            var take = Math.Min(part.Payload.Length, random.Next(0, 3000));
            foreach (var segment in part.Payload.Slice(0, take))
                received.AddRange(segment.ToArray());
            var isDone = part.IsEndOfMessage && take == part.Payload.Length;
            harness.Connection.AdvanceTo(part.Payload.GetPosition(take));
            if (isDone)
                break;
        }

        received.Should().Equal(message);
        await send;
    }

    [Fact]
    public async Task ReadAsync_TakesOneMessageAndReceiveAsyncTheNext_InflateBoth()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, options =>
        {
            CompressionReceiveTests.Compressing(options);
            options.CompressionParameters = new PerMessageDeflateParameters { ClientContextTakeover = true };
        });
        using var zlib = new Zlib.Compressor();
        var messages = Enumerable.Range(0, 6).Select(i => Samples.Create("json", 2000, i)).ToList();
        await harness.Peer.SendBytesAsync(messages.SelectMany(message => Frames.Frame(Frames.Binary, zlib.Next(message), rsv: Rsv1)).ToArray());
        foreach (var (i, message) in messages.Index())
        {
            if (i % 2 == 0)
            {
                (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
                continue;
            }

            var received = new List<byte>();
            bool isEnd;
            do
            {
                var part = await harness.Connection.ReadAsync().Within();
                isEnd = part.IsEndOfMessage;
                foreach (var segment in part.Payload)
                    received.AddRange(segment.ToArray());
                harness.Connection.AdvanceTo(part.Payload.End);
            }
            while (!isEnd);
            received.Should().Equal(message);
        }
    }

    [Fact]
    public async Task ReceiveAsync_AfterCancelledRead_GoesOnWithTheSameMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, CompressionReceiveTests.Compressing);
        var message = Samples.Create("random", 5000);
        var payload = Zlib.Compress(message);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, payload.AsSpan(0, 2000), fin: false, rsv: Rsv1));
        using var cancel = new CancellationTokenSource();
        var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await ((Func<Task>)(() => receive)).Should().ThrowAsync<OperationCanceledException>();
        await harness.Peer.SendAsync(Frames.ContinuationFrame(payload.AsSpan(2000), fin: true));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
    }
}
