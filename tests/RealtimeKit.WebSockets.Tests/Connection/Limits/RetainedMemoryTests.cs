using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection.Limits;

public class RetainedMemoryTests
{
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    [InlineData(Wire.Socket)]
    public async Task RetainedBytes_MessageInProgress_CountsItAndGoesBackToNothing(Wire wire)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(wire, options => options.MeterFactory = meters);
        harness.Connection.RetainedBytes.Should().Be(0);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, new byte[300_000], declared: 400_000));
        await Bounds.Until(() => harness.Connection.RetainedBytes >= 300_000);
        harness.Connection.RetainedBytes.Should().BeLessThan(1_000_000);
        await Bounds.Until(() => meters.Observe("memory.retained") >= 300_000 - (8 * 1024));
        await harness.Peer.SendBytesAsync(new byte[100_000]);
        (await receive.Within()).Payload.Length.Should().Be(400_000);
        harness.Connection.RetainedBytes.Should().BeGreaterThanOrEqualTo(400_000, "the message is lent out");

        // The next receive takes it back.
        receive = harness.Connection.ReceiveAsync().AsTask();
        await Bounds.Until(() => harness.Connection.RetainedBytes == 0);
        await Bounds.Until(() => meters.Observe("memory.retained") == 0);
    }

    // RFC 7692 §8: what is inflated counts, not what came.
    [Fact]
    public async Task RetainedBytes_CompressedMessage_CountsWhatIsInflated()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.CompressionParameters = new PerMessageDeflateParameters());
        var data = Compression.Zlib.Compress(Compression.Samples.Create("json", 500_000));
        await harness.Peer.SendAsync(Frames.Frame(Frames.Text, data.AsSpan(0, data.Length / 2), fin: false, rsv: 4));
        var receive = harness.Connection.ReceiveAsync().AsTask();
        await Bounds.Until(() => harness.Connection.RetainedBytes > data.Length + 50_000);
        await harness.Peer.SendAsync(Frames.ContinuationFrame(data.AsSpan(data.Length / 2), fin: true));
        (await receive.Within()).Payload.Length.Should().Be(500_000);
    }

    [Fact]
    public async Task RetainedBytes_PeerThatDoesNotRead_CountsWhatWaitsAndWhoWaits()
    {
        using var meters = new Meters();
        StallingStream? stream = null;
        var harness = Harness.Over(inner => stream = new StallingStream(inner), options => options.MeterFactory = meters);
        stream!.Stall();
        await harness.Connection.SendAsync(new byte[200_000], WebSocketMessageType.Binary);
        harness.Connection.RetainedBytes.Should().BeGreaterThanOrEqualTo(200_000);
        var waiting = Enumerable.Range(0, 3).Select(_ => harness.Connection.SendAsync(new byte[1_000_000], WebSocketMessageType.Binary).AsTask()).ToArray();
        harness.Connection.RetainedBytes.Should().BeGreaterThanOrEqualTo(3_200_000, "their senders cannot let them go");
        meters.Observe("memory.retained").Should().BeGreaterThanOrEqualTo(3_200_000 - (8 * 1024));
        stream.Release();
        for (var i = 0; i < 4; i++)
            await harness.Peer.ReadAsync(Frames.Binary);
        await Task.WhenAll(waiting).Within();
        await Bounds.Until(() => harness.Connection.RetainedBytes == 0);
        await Bounds.Until(() => meters.Observe("memory.retained") == 0);
        await harness.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetainedBytes_ContextTakeover_CountsTheWindows(bool sends)
    {
        var compression = new PerMessageDeflateOptions { ServerContextTakeover = true, ClientContextTakeover = true };
        var (client, server) = WebSocketConnection.CreatePair(new WebSocketConnectionOptions { Compression = compression });
        await client.SendAsync(Compression.Samples.Create("json", 50_000), WebSocketMessageType.Text);
        await server.ReceiveAsync().Within();
        var again = server.ReceiveAsync().AsTask();
        await Bounds.Until(() => (sends ? client : server).RetainedBytes is >= 32 * 1024 and < 400_000);
        client.Abort();
        await again.Within();
        await server.DisposeAsync();
        server.RetainedBytes.Should().Be(0);
    }

    // A receiver of parts that waits for more instead of consuming them.
    [Fact]
    public async Task MaxRetainedBytes_PartsThatAreNotConsumed_CloseWith1009()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MaxRetainedBytes = 100_000);
        var flood = Task.Run(async () =>
        {
            await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, [], declared: 10_000_000));
            try
            {
                for (var i = 0; i < 1000; i++)
                    await harness.Peer.SendBytesAsync(new byte[10_000]);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException or TimeoutException)
            {
            }
        });
        var longest = 0L;
        var read = async () =>
        {
            while (true)
            {
                var part = await harness.Connection.ReadAsync().Within();
                longest = part.Payload.Length;
                harness.Connection.AdvanceTo(part.Payload.Start);
            }
        };
        (await read.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.RetainedMemoryExceeded);
        longest.Should().BeLessThan(400_000);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1009);
        harness.Connection.Abort();
        await harness.Peer.DisposeAsync();
        await flood.Within();
    }

    // The default must be out of reach for whole messages, whatever their size and their fragments.
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(10 << 20)]
    public async Task MaxRetainedBytes_DefaultAndTheLargestMessages_IsNotReached(int size)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MaxMessageSize = size;
            options.MaxFragmentsPerMessage = int.MaxValue;
        });
        var send = Task.Run(async () =>
        {
            for (var i = 0; i < 3; i++)
                await harness.Peer.SendAsync(i == 1 ? Frames.Fragmented(Frames.Binary, new byte[size], 10_000) : Frames.BinaryFrame(new byte[size]));
        });
        for (var i = 0; i < 3; i++)
            (await harness.Connection.ReceiveAsync().Within()).Payload.Length.Should().Be(size);
        await send.Within();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Metric_ConnectionsEndInTheMiddle_GoesBackToNothing(bool aborts)
    {
        using var meters = new Meters();
        for (var i = 0; i < 20; i++)
        {
            var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MeterFactory = meters);
            var receive = harness.Connection.ReceiveAsync().AsTask();
            await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, new byte[100_000], declared: 400_000));
            await Bounds.Until(() => harness.Connection.RetainedBytes >= 100_000);
            if (aborts)
                harness.Connection.Abort();
            else
                harness.Peer.Reset();
            await receive.Within();
            await harness.DisposeAsync();
        }

        await Bounds.Until(() => meters.Observe("memory.retained") == 0);
    }
}
