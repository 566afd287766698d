using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests;

public sealed partial class TopicSubscriptionTests
{
    [Fact]
    public async Task Add_WhileRunning_BeginsWhereAsked()
    {
        var cursor = await Hub.GetCursorAsync(["b"], Cancel);
        await PublishAsync("b", 0, 3);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["a"], cancellationToken: Cancel);

        var start = await subscription.AddAsync("b", cursor[0].Value, Cancel);
        await subscription.AddAsync("c", null, Cancel);
        await PublishAsync("c", 10, 1);
        var last = await PublishAsync("a", 20, 1);

        start.Should().Be(cursor[0].Value);
        await Until.True(() => subscriber.Entries.Length == 5);
        await Until.True(() => subscription.Cursor[0].Value == last);   // moved once the subscriber has the batch
        subscriber.Texts.Should().BeEquivalentTo("0", "1", "2", "10", "20");
        subscription.Topics.Should().Equal("a", "b", "c");
        (await subscription.AddAsync("a", null, Cancel)).Should().Be(last, "it is there already");
    }

    [Fact]
    public async Task Add_DeliveredBeforeItReturns_GivesWhereDeliveryBegan()
    {
        Options.Topic("b", b => b.Presence = true);
        var engine = new StagedEngine(Options);
        await using var hub = new TopicHub(engine, Options);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(
            subscriber, ["a"], options: new TopicSubscribeOptions { ConnectionId = "id" }, cancellationToken: Cancel);
        var listing = new TaskCompletionSource();
        var mayList = new TaskCompletionSource();
        engine.Setting = _ =>
        {
            listing.TrySetResult();
            return mayList.Task;
        };

        var adding = subscription.AddAsync("b", null, Cancel).AsTask();
        await Task.WhenAny(adding, listing.Task);
        adding.IsCompleted.Should().BeFalse("it is being listed");
        var last = await hub.PublishAsync("b", "1", cancellationToken: Cancel);
        await hub.PublishAsync("a", "2", cancellationToken: Cancel);
        await Until.True(() => subscriber.Entries.Length == 2 && subscription.Cursor[1].Value == last);
        mayList.SetResult();

        (await adding).Should().Be(last with { Offset = last.Offset - 1 });
    }

    [Fact]
    public async Task Add_TwiceAtOnce_TheSecondGetsHowFarTheTopicIs()
    {
        var engine = new StagedEngine(Options);
        await using var hub = new TopicHub(engine, Options);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, [], cancellationToken: Cancel);
        var start = (await hub.GetCursorAsync(["t"], Cancel))[0].Value;
        var mayAttach = new Queue<TaskCompletionSource>([new(), new()]);
        var (first, second) = (mayAttach.First(), mayAttach.Last());
        engine.Attaching = _ => mayAttach.Dequeue().Task;

        var adding = subscription.AddAsync("t", start, Cancel).AsTask();
        var addingToo = subscription.AddAsync("t", start, Cancel).AsTask();
        first.SetResult();
        (await adding).Should().Be(start);
        var last = await hub.PublishAsync("t", "1", cancellationToken: Cancel);
        await Until.True(() => subscription.Cursor[0].Value == last);
        second.SetResult();

        (await addingToo).Should().Be(last);
        subscription.Topics.Should().Equal("t");
        subscriber.Texts.Should().Equal("1");
    }

    [Fact]
    public async Task Remove_WhileRunning_DeliversNothingMore()
    {
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["a", "b"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Items.Length == 2);

        (await subscription.RemoveAsync("a")).Should().BeTrue();
        (await subscription.RemoveAsync("a")).Should().BeFalse();
        await PublishAsync("a", 0, 5);
        await PublishAsync("b", 5, 1);

        await Until.True(() => subscriber.Entries.Length == 1);
        subscriber.Items.Select(item => item.Kind).Should().Equal(TopicItemKind.Joined, TopicItemKind.Joined, TopicItemKind.Left, TopicItemKind.Entry);
        subscription.Topics.Should().Equal("b");
    }

    [Fact]
    public async Task Remove_WhileItsPageCannotBeRead_KeepsTheOthers()
    {
        var clock = new FakeTimeProvider();
        Options.TimeProvider = clock;
        var engine = new StagedEngine(Options);
        await using var hub = new TopicHub(engine, Options);
        var reads = 0;
        engine.Reading = topic =>
        {
            Interlocked.Increment(ref reads);
            throw new TopicEngineException();
        };
        var behind = TopicCursor.Empty.With("a", new TopicPosition(1, 1));
        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["a", "b"], behind, cancellationToken: Cancel);
        await Until.True(() => Volatile.Read(ref reads) > 0);

        await subscription.RemoveAsync("a");
        await hub.PublishAsync("b", "1", cancellationToken: Cancel);

        await Until.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return subscriber.Entries.Length == 1 || subscription.End is not null;
        });
        subscription.End.Should().BeNull();
        subscriber.Texts.Should().Equal("1");
        subscription.Topics.Should().Equal("b");
    }

    [Fact]
    public async Task Add_OverTheLimits_IsRefused()
    {
        Options.MaxTopicsPerSubscription = 2;
        await using var subscription = await Hub.SubscribeAsync(new RecordingSubscriber(), ["a", "b"], cancellationToken: Cancel);

        await subscription.Awaiting(subscription => subscription.AddAsync("c").AsTask()).Should().ThrowAsync<TopicLimitException>();
        await Hub.Awaiting(hub => hub.SubscribeAsync(new RecordingSubscriber(), ["a", "b", "c"]).AsTask()).Should().ThrowAsync<TopicLimitException>();
        await subscription.Awaiting(subscription => subscription.AddAsync("\n").AsTask()).Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task Add_CursorWouldBeTooLong_IsRefused()
    {
        await using var subscription = await Hub.SubscribeAsync(new RecordingSubscriber(), [], cancellationToken: Cancel);
        for (var i = 0; i < 11; i++)
            await subscription.AddAsync(new string('x', 250) + i, null, Cancel);

        await subscription.Awaiting(subscription => subscription.AddAsync(new string('y', 256)).AsTask()).Should().ThrowAsync<TopicLimitException>();
    }
}
