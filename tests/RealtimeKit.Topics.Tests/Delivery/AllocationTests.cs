using System.IO.Pipelines;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests;

/// <summary>A delivery allocates nothing, whatever is the target. Counted alone: between two batches a thread of the pool runs what other tests left there.</summary>
[Collection(nameof(MemoryTests))]
public class AllocationTests
{
    private const int Entries = 512;

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public async Task Deliver_WebSocket_AllocatesNothing(int inBatch)
    {
        var socket = WebSocketConnection.Create(new SinkStream(), new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan, CloseTimeout = TimeSpan.FromMilliseconds(1) });
        await using var connection = socket;

        (await MeasureAsync(new WebSocketTopicSubscriber(socket), inBatch, 1)).Should().Be(0);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 1)]
    [InlineData(1, 3)]
    [InlineData(64, 3)]
    public async Task Deliver_Events_AllocatesNothing(int inBatch, int topics) =>
        (await MeasureAsync(new ServerSentEventTopicSubscriber(new ServerSentEventWriter(new SinkWriter())), inBatch, topics)).Should().Be(0);

    [Fact]
    public async Task Deliver_CompressedWebSocket_AllocatesNothing()
    {
        var options = new WebSocketConnectionOptions
        {
            KeepAliveInterval = Timeout.InfiniteTimeSpan,
            Compression = new PerMessageDeflateOptions { MinimumSize = 1 },
            CompressionParameters = new PerMessageDeflateParameters(),
            CloseTimeout = TimeSpan.FromMilliseconds(1),
        };
        await using var connection = WebSocketConnection.Create(new SinkStream(), options);

        (await MeasureAsync(new WebSocketTopicSubscriber(connection), 16, 1)).Should().Be(0);
    }

    // Between the moments at which one thread comes to hand over two batches lies a whole delivery.
    private static async Task<long> MeasureAsync(ITopicSubscriber target, int inBatch, int topicCount)
    {
        var cancel = TestContext.Current.CancellationToken;
        var topics = Enumerable.Range(0, topicCount).Select(i => $"topic {i}").ToArray();
        var options = new TopicsOptions { BatchCount = inBatch };
        options.Default.HistoryCount = 100_000;
        await using var hub = new TopicHub(options: options);
        var start = await hub.GetCursorAsync(topics, cancel);
        for (var i = 0; i < Entries * topicCount; i++)
            await hub.PublishAsync(topics[i % topicCount], $"entry {i} with some text", cancellationToken: cancel);

        // The first rounds make the entries' wire forms, which belong to publishing, once for all, and warm up.
        var measured = new Measured(target);
        var least = long.MaxValue;
        for (var round = 0; round < 30; round++)
        {
            measured.Begin();
            await using var subscription = await hub.SubscribeAsync(measured, topics, start, cancellationToken: cancel);
            await Until.True(() => measured.Delivered == Entries * topicCount);

            // What allocates does so in every round; a thread of the pool may have run something else in one.
            if (round >= 20 && measured.Counted > 2)
                least = Math.Min(least, measured.Allocated);
        }

        least.Should().NotBe(long.MaxValue, "some deliveries must have been measured");
        return least;
    }

    private sealed class Measured(ITopicSubscriber target) : ITopicSubscriber
    {
        private int _thread;
        private long _before;
        private int _batches;
        private volatile int _delivered;

        public int Delivered => _delivered;

        /// <summary>Of the round.</summary>
        public long Allocated { get; private set; }

        public int Counted { get; private set; }

        public void Begin()
        {
            _delivered = _batches = _thread = Counted = 0;
            Allocated = 0;
        }

        public ValueTask WaitUntilReadyAsync() => target.WaitUntilReadyAsync();

        public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
        {
            // The first batch says that topics were joined, and makes what the subscription keeps.
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            if (_thread == Environment.CurrentManagedThreadId && ++_batches > 4)
            {
                Allocated += allocated - _before;
                Counted++;
            }

            var entries = 0;
            foreach (ref readonly var item in items)
            {
                if (item.Kind == TopicItemKind.Entry)
                    entries++;
            }

            var flush = target.DeliverAsync(subscription, items);
            _thread = Environment.CurrentManagedThreadId;
            _before = allocated;
            _delivered += entries;
            return flush;
        }

        public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => target.OnEnded(subscription, reason, exception);
    }

    private sealed class SinkWriter : PipeWriter
    {
        private readonly byte[] _buffer = new byte[1 << 20];
        private int _written;

        public override void Advance(int bytes) => _written += bytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(_written);

        public override Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(_written);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            _written = 0;
            return default;
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
