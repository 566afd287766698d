using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Net.WebSockets;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// A buffer that goes back to the pool twice belongs to two connections from then on. The pool's own events tell, of every array of the process
// and only by its hash: one of another test, rented before, could be taken for one of these.
[Collection(nameof(Alone))]
public class PooledBuffersTests
{
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Stream)]
    public async Task EveryWayToEnd_NoBufferIsReturnedTwice(Wire wire)
    {
        using var watch = new PoolWatch();
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var harness = await Harness.CreateAsync(wire, options =>
            {
                options.SendBufferSize = 256;
                options.ReadAheadSize = 256;
                options.CloseTimeout = TimeSpan.FromMilliseconds(5);
                if (seed % 2 == 0)
                    options.CompressionParameters = new PerMessageDeflateParameters { ServerContextTakeover = seed % 4 == 0, ClientContextTakeover = seed % 4 == 0 };
            });
            var connection = harness.Connection;
            var payload = Frames.Pattern(random.Next(400));
            // With compression negotiated RSV1 begins a compressed message; without, it is a violation.
            var compressed = Compression.Zlib.Compress(Compression.Samples.Create("json", random.Next(2000)));
            var half = compressed.Length / 2;
            var peer = Task.Run(async () =>
            {
                try
                {
                    await harness.Peer.SendAsync(
                        Frames.Fragmented(Frames.Binary, payload, 70), Frames.PingFrame("x"), Frames.TextFrame("y"),
                        Frames.Frame(Frames.Text, compressed.AsSpan(0, half), fin: false, rsv: 4), Frames.ContinuationFrame(compressed.AsSpan(half), fin: true),
                        Frames.TextFrame("z")[..7]);
                }
                catch (IOException)
                {
                }
            });
            var sends = Enumerable.Range(0, 10).Select(_ => Task.Run(async () => await connection.SendAsync(payload, WebSocketMessageType.Binary))).ToArray();
            var receive = Task.Run(async () =>
            {
                if (seed % 3 != 0)
                    await connection.ReceiveAsync();
                if (seed % 2 != 0)
                    await connection.ReadAsync();
            });
            if (random.Next(2) == 0)
                await Task.Yield();
            var ends = Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
            {
                switch ((seed + i) % 4)
                {
                    case 0:
                        await connection.DisposeAsync();
                        break;
                    case 1:
                        connection.Abort();
                        break;
                    case 2:
                        await connection.CloseAsync(WebSocketCloseStatus.NormalClosure);
                        break;
                    default:
                        harness.Peer.Reset();
                        break;
                }
            })).ToArray();
            await Task.WhenAll(ends).Within();
            await connection.DisposeAsync().Within();
            await Task.WhenAll(sends.Append(receive).Append(peer).Select(task => task.ContinueWith(static task => _ = task.Exception, TaskScheduler.Default))).Within();
            await harness.DisposeAsync();
        }

        watch.Doubles.Should().BeEmpty();
        watch.Seen.Should().BePositive("the pool's events arrive");
    }

    private sealed class PoolWatch : EventListener
    {
        private readonly ConcurrentDictionary<int, int> _rented = new();

        public ConcurrentQueue<string> Doubles { get; } = new();

        public int Seen => _rented?.Count ?? 0;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Buffers.ArrayPoolEventSource")
                EnableEvents(eventSource, EventLevel.Verbose);
        }

        // Identified by hash, which now and then two arrays share: they are counted. Arrays rented before the watch began are unknown.
        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (_rented is null || eventData.Payload is not [int buffer, int size, ..])
                return;
            if (eventData.EventName == "BufferRented")
                _rented.AddOrUpdate(buffer, 1, static (_, count) => count + 1);
            else if (eventData.EventName == "BufferReturned" && _rented.ContainsKey(buffer) && _rented.AddOrUpdate(buffer, 0, static (_, count) => count - 1) < 0)
                Doubles.Enqueue($"{buffer} ({size} bytes)");
        }
    }
}
