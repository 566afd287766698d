using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets.Tests.Compression;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

/// <summary>For tests that look at what the whole process allocates.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

// RFC 7692 §8: what a message may inflate to, enforced while it inflates.
[Collection(nameof(Alone))]
public class CompressionLimitTests
{
    private const int Rsv1 = 4;

    [Fact]
    public async Task ReceiveAsync_InflatedToExactlyTheLimit_IsAMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            CompressionReceiveTests.Compressing(options);
            options.MaxMessageSize = 100_000;
        });
        var message = Samples.Create("json", 100_000);
        await harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Binary, message));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
    }

    [Theory]
    [InlineData(100_001)]
    [InlineData(10_000_000)]
    public async Task ReceiveAsync_InflatesBeyondTheLimit_Fails1009(int size)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            CompressionReceiveTests.Compressing(options);
            options.Compression!.MaxInflateRatio = 0;
            options.MaxMessageSize = 100_000;
        });
        await harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Binary, new byte[size]));
        await CompressionReceiveTests.ShouldFail(harness, WebSocketProtocolError.MessageTooBig, 1009);
    }

    [Theory]
    [InlineData(64 * 1024, true)]
    [InlineData(300_000, false)]
    public async Task ReceiveAsync_RatioBeyondTheLimit_Fails1009(int size, bool isHonest)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, CompressionReceiveTests.Compressing);
        await harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Binary, new byte[size]));
        if (isHonest)
            (await harness.Connection.ReceiveAsync().Within()).Payload.Length.Should().Be(size, "the first 64 KiB are free");
        else
            await CompressionReceiveTests.ShouldFail(harness, WebSocketProtocolError.InflateRatioExceeded, 1009);
    }

    [Fact]
    public async Task ReceiveAsync_RatioWithinTheLimit_IsAMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, CompressionReceiveTests.Compressing);
        // 500 zeros cost a few bytes beside 20 that cannot be compressed: about 20 to 1.
        var message = Enumerable.Range(0, 1000).SelectMany(i => (byte[])[.. Samples.Create("random", 20, i), .. new byte[500]]).ToArray();
        await harness.Peer.SendAsync(CompressionReceiveTests.Compressed(Frames.Binary, message));
        (await harness.Connection.ReceiveAsync().Within()).Payload.Length.Should().Be(message.Length);
    }

    // undici CVE-2026-1526 and its kin: a megabyte that inflates to a gigabyte.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bomb_OneGibibyte_StopsAtOnceAndKeepsLittle(bool streams)
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, CompressionReceiveTests.Compressing);
        var mebibyte = (byte[])[.. Zlib.Compress(new byte[1 << 20]), 0, 0, 0xFF, 0xFF];
        var bomb = Enumerable.Repeat(mebibyte, 1024).SelectMany(bytes => bytes).ToArray();
        var send = Task.Run(async () =>
        {
            try
            {
                await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, bomb, rsv: Rsv1));
            }
            catch (IOException)
            {
                // The connection is closed long before all is sent.
            }
        });

        var before = GC.GetTotalAllocatedBytes();
        Func<Task> receive = async () =>
        {
            while (streams)
                harness.Connection.AdvanceTo((await harness.Connection.ReadAsync().Within()).Payload.End);
            await harness.Connection.ReceiveAsync().Within();
        };
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(64 << 20, "nothing near to a gibibyte was inflated");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1009);
        harness.Connection.Abort();
        await send.Within();
    }

    [Fact]
    public async Task CloseAsync_WhileABombArrives_DiscardsItUninflated()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, CompressionReceiveTests.Compressing);
        var mebibyte = (byte[])[.. Zlib.Compress(new byte[1 << 20]), 0, 0, 0xFF, 0xFF];
        var bomb = Enumerable.Repeat(mebibyte, 100).SelectMany(bytes => bytes).ToArray();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        var before = GC.GetTotalAllocatedBytes();
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, bomb, rsv: Rsv1), CompressionReceiveTests.Compressed(Frames.Text, [0xFF]), Frames.CloseFrame(1000));
        var result = await close.Within();
        result.IsClean.Should().BeTrue();
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(32 << 20);
    }
}
