using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests.Endpoints;

/// <summary>What a delivery costs, once an entry is encoded.</summary>
public sealed class WebPubSubDeliveryTests
{
#if !CHECKING_POOL
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deliver_Warm_AllocatesNothing(bool isReliable)
    {
        await using var kit = new WebPubSubKit();
        await using var connection = WebSocketConnection.Create(new SinkStream());
        var request = new TopicRequest { User = new(), UserId = null, Topics = [], GetQuery = static _ => null, Host = kit };
        var options = new WebPubSubOptions();
        var session = new WebPubSubSessions(options, kit.Clock).Create(null);
        await using var client = new WebPubSubClient(kit.Hub, options, null, request, session);
        (await session.TakeAsync(client, TestContext.Current.CancellationToken)).Should().BeTrue();
        await client.OpenAsync(request, endAtGap: true, TestContext.Current.CancellationToken);
        ITopicSubscriber subscriber = isReliable ? new WebPubSubReliableSubscriber(client, session, connection) : new WebPubSubSubscriber(client, connection);
        var items = new TopicItem[100];
        for (var i = 0; i < items.Length; i++)
            items[i] = new TopicItem(Entries.Entry((ulong)i + 1, "topic", new string('x', 100)));

        var allocated = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++)
            {
                var delivery = subscriber.DeliverAsync(client.Subscription, items);
                if (!delivery.IsCompletedSuccessfully)
                    throw new InvalidOperationException("The sink takes everything at once.");
                session.Acknowledge(session.Ring.Last);
            }

            // What allocates does so in every round; of the shared pool's buffers another test may hold one in some.
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        connection.Abort();   // its peer says nothing, goodbye included
        allocated.Should().Be(0);
        session.Ring.Last.Should().Be(isReliable ? 20_000UL : 0);
    }
#endif

    [Theory]
    [InlineData("fragments")]
    [InlineData("compressed")]
    [InlineData("compressed with context takeover")]
    public async Task Deliver_OtherForms_ArriveWhole(string form)
    {
        var connections = form == "fragments"
            ? new WebSocketConnectionOptions { MaxFrameSize = 125 }
            : new WebSocketConnectionOptions { Compression = new PerMessageDeflateOptions { MinimumSize = 0, ServerContextTakeover = form != "compressed" } };
        await using var kit = new WebPubSubKit { Connections = connections };
        var plain = await kit.ConnectAsync(kit.Plain, topics: ["g"]);
        var reliable = await kit.ConnectAsync(kit.Reliable, topics: ["g"]);
        for (var i = 1; i <= 5; i++)
        {
            var text = new string((char)('a' + i), 100 * i);
            await kit.Hub.PublishAsync("g", text, cancellationToken: TestContext.Current.CancellationToken);
            (await plain.ReadAsync()).Should().EndWith($"\"data\":\"{text}\"}}");
            (await reliable.ReadNumberedAsync()).Should().Be(((ulong)i, text));
        }

        await reliable.LoseAsync();
        reliable = await kit.RecoverAsync(reliable);
        await reliable.ReadConnectedAsync();
        (await reliable.ReadNumberedAsync()).Should().Be((1, new string('b', 100)));
    }

    [Fact]
    public void Ring_AcknowledgedAndGrown_KeepsNumbersAndPlaces()
    {
        var ring = new WebPubSubRing();
        var random = new Random(1);
        var expected = new Queue<(ulong Number, ulong Offset)>();
        for (var i = 1UL; i < 5000; i++)
        {
            ring.Add("t", new TopicPosition(1, i)).Should().Be(i);
            expected.Enqueue((i, i));
            if (random.Next(4) == 0)
            {
                var number = i - (ulong)random.Next((int)Math.Min(i, 200));
                ring.Acknowledge(number);
                while (expected.Count > 0 && expected.Peek().Number <= number)
                    expected.Dequeue();
            }

            ring.Count.Should().Be(expected.Count);
            if (expected.Count > 0)
                (ring.NumberOf(0), ring[0].Position.Offset).Should().Be(expected.Peek());
        }
    }

    /// <summary>Takes everything at once, and never gives anything.</summary>
    private sealed class SinkStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
