using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests;

public sealed class TopicSubscriptionTests : IAsyncDisposable
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TopicsOptions Options { get; } = new();

    private TopicHub Hub => field ??= new TopicHub(options: Options);

    public ValueTask DisposeAsync() => Hub.DisposeAsync();

    private async Task<TopicPosition> PublishAsync(string topic, int first, int count, string? key = null)
    {
        var last = default(TopicPosition);
        for (var i = first; i < first + count; i++)
            last = await Hub.PublishAsync(topic, $"{i}", new TopicPublishOptions { Key = key is null ? null : key + (i % 2) }, Cancel);
        return last;
    }

    private static string[] Numbers(int first, int count) => [.. Enumerable.Range(first, count).Select(i => $"{i}")];

    [Fact]
    public async Task Subscribe_WithoutCursor_BeginsWithWhatComesNext()
    {
        await PublishAsync("t", 0, 3);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);

        await PublishAsync("t", 3, 5);

        await Until.True(() => subscriber.Entries.Length == 5);
        subscriber.Texts.Should().Equal(Numbers(3, 5));
        subscriber.Items[0].Kind.Should().Be(TopicItemKind.Joined);
    }

    [Fact]
    public async Task Subscribe_WithCursor_ReplaysThenGoesOnLive()
    {
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        await PublishAsync("t", 0, 700);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cursor, cancellationToken: Cancel);
        await PublishAsync("t", 700, 50);

        await Until.True(() => subscriber.Entries.Length == 750);
        subscriber.Texts.Should().Equal(Numbers(0, 750));
        subscriber.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Deliver_NotFlushed_TakesTheRestInOneBatchAfterwards()
    {
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);

        await PublishAsync("t", 0, 100);
        subscriber.Batches.Should().Equal([1], "the first batch, that the topic was joined, has not been flushed");
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 100);
        subscriber.Batches.Should().Equal(1, 100);
    }

    [Fact]
    public async Task Deliver_ManyBytes_SplitsTheBatchAtTheLimit()
    {
        Options.BatchBytes = 1000;
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        for (var i = 0; i < 10; i++)
            await Hub.PublishAsync("t", new byte[400], cancellationToken: Cancel);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cursor, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 10);
        subscriber.Batches.Should().Equal(4, 3, 3, 1);
    }

    [Fact]
    public async Task Wait_PastTheHistory_TellsTheGapAndGoesOnWithTheOldest()
    {
        Options.Default.HistoryCount = 10;
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        var last = await PublishAsync("t", 1, 30);
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 10);
        subscriber.Gaps.Should().Equal(new TopicGap("t", last with { Offset = 0 }, last with { Offset = 20 }));
        subscriber.Texts.Should().Equal(Numbers(21, 10));
        subscriber.Items[1].Kind.Should().Be(TopicItemKind.Gap, "a gap is told before what comes after it");
    }

    [Fact]
    public async Task SkipToNewest_TooFarBehind_TellsTheGapAndGivesTheNewest()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.SkipToNewest;
        Options.Default.MaxLag = 5;
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        await PublishAsync("t", 1, 5);
        subscriber.ReleaseOne();
        await Until.True(() => subscriber.Entries.Length == 5);
        var last = await PublishAsync("t", 6, 6);
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 6);
        subscriber.Texts.Should().Equal("1", "2", "3", "4", "5", "11");
        subscriber.Gaps.Should().Equal(new TopicGap("t", last with { Offset = 5 }, last with { Offset = 10 }));
    }

    [Fact]
    public async Task SkipToNewest_PastTheHistory_TellsOneGap()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.SkipToNewest;
        Options.Default.HistoryCount = 3;
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        var last = await PublishAsync("t", 1, 20);
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 1);
        subscriber.Texts.Should().Equal("20");
        subscriber.Gaps.Should().Equal(new TopicGap("t", last with { Offset = 0 }, last with { Offset = 19 }));
    }

    [Fact]
    public async Task Conflate_TooFarBehind_GivesTheNewestOfEachKeyAndTellsTheRest()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.Conflate;
        Options.Default.MaxLag = 4;
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        await PublishAsync("t", 1, 3, "k");
        await Hub.PublishAsync("t", "keyless", cancellationToken: Cancel);
        var last = await PublishAsync("t", 5, 4, "k");
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 3);
        subscriber.Texts.Should().Equal("keyless", "7", "8");
        subscriber.Gaps.Should().Equal(
            new TopicGap("t", last with { Offset = 0 }, last with { Offset = 3 }),
            new TopicGap("t", last with { Offset = 4 }, last with { Offset = 6 }));
    }

    [Fact]
    public async Task Conflate_WithinTheLag_GivesEverything()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.Conflate;
        Options.Default.ConflationKey = static publication => "same";
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        await PublishAsync("t", 1, 20);
        subscriber.Release();

        await Until.True(() => subscriber.Entries.Length == 20);
        subscriber.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Disconnect_TooFarBehind_EndsAndKeepsTheCursor()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.Disconnect;
        Options.Default.MaxLag = 5;
        var subscriber = new RecordingSubscriber(isHeld: true);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Batches.Count == 1);
        await PublishAsync("t", 1, 2);
        subscriber.ReleaseOne();
        await Until.True(() => subscriber.Entries.Length == 2);
        var last = await PublishAsync("t", 3, 6);
        subscriber.Release();

        (await subscriber.Ended.Task.WaitAsync(Until.Bound, Cancel)).Should().Be(TopicSubscriptionEnd.TooSlow);
        subscription.End.Should().Be(TopicSubscriptionEnd.TooSlow);
        subscription.Cursor.ToString().Should().Be(TopicCursor.Empty.With("t", last with { Offset = 2 }).ToString());
        subscriber.Texts.Should().Equal("1", "2");
    }

    [Fact]
    public async Task Disconnect_ResumingFarBehind_CatchesUp()
    {
        Options.Default.SlowConsumers = SlowConsumerPolicy.Disconnect;
        Options.Default.MaxLag = 5;
        Options.BatchCount = 4;
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        await PublishAsync("t", 0, 100);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cursor, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 100);
        subscription.End.Should().BeNull();
    }

    [Fact]
    public async Task EndAtGap_SomethingWouldBeSkipped_EndsInstead()
    {
        Options.Default.HistoryCount = 5;
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        await PublishAsync("t", 0, 10);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cursor, new TopicSubscribeOptions { EndAtGap = true }, Cancel);

        (await subscriber.Ended.Task.WaitAsync(Until.Bound, Cancel)).Should().Be(TopicSubscriptionEnd.Gap);
        subscriber.Entries.Should().BeEmpty();
        subscription.Cursor.ToString().Should().Be(cursor.ToString());
    }

    [Fact]
    public async Task Subscribe_CursorOfAnotherEpoch_TellsAGapAndGivesTheHistory()
    {
        await PublishAsync("t", 0, 3);
        var subscriber = new RecordingSubscriber();
        var foreign = new TopicPosition(1, 17);
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], TopicCursor.Empty.With("t", foreign), cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 3);
        subscriber.Gaps.Should().ContainSingle().Which.From.Should().Be(foreign);
        subscriber.Gaps[0].To.Should().Be(subscriber.Entries[0].Position with { Offset = 0 });
    }

    [Fact]
    public async Task LogReset_NewEpochWhileSubscribed_IsToldAsAGap()
    {
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        var before = await PublishAsync("t", 1, 1);
        await Until.True(() => subscriber.Entries.Length == 1);
        var log = await Hub.Engine.AttachAsync("t", Cancel);

        log.Reset(new TopicPosition(before.Epoch + 1, 1));
        var after = await PublishAsync("t", 2, 1);

        await Until.True(() => subscriber.Entries.Length == 2);
        after.Epoch.Should().Be(before.Epoch + 1);
        subscriber.Gaps.Should().Equal(new TopicGap("t", before, new TopicPosition(before.Epoch + 1, 1)));
    }

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

    [Fact]
    public async Task Deliver_OneBusyTopicAndQuietOnes_GivesEachItsShare()
    {
        Options.BatchCount = 12;
        var cursor = await Hub.GetCursorAsync(["busy", "q1", "q2"], Cancel);
        await PublishAsync("busy", 0, 500);
        await PublishAsync("q1", 1000, 2);
        await PublishAsync("q2", 2000, 2);
        var subscriber = new RecordingSubscriber();
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["busy", "q1", "q2"], cursor, cancellationToken: Cancel);

        await Until.True(() => subscriber.Entries.Length == 504);
        var firstBatch = subscriber.Entries.Take(12).Select(entry => entry.Topic).Distinct();
        firstBatch.Should().BeEquivalentTo("busy", "q1", "q2");
        subscriber.Entries.Where(entry => entry.Topic == "busy").Select(entry => entry.Text()).Should().Equal(Numbers(0, 500));
    }

    [Fact]
    public async Task Publish_ExcludedConnection_GoesToTheOthersOnly()
    {
        var self = new RecordingSubscriber();
        var other = new RecordingSubscriber();
        await using var first = await Hub.SubscribeAsync(self, ["t"], null, new TopicSubscribeOptions { ConnectionId = "me" }, Cancel);
        await using var second = await Hub.SubscribeAsync(other, ["t"], null, new TopicSubscribeOptions { ConnectionId = "you" }, Cancel);

        await Hub.PublishAsync("t", "no echo", new TopicPublishOptions { ExcludedConnection = "me" }, Cancel);
        await Hub.PublishAsync("t", "all", cancellationToken: Cancel);

        await Until.True(() => self.Entries.Length == 1 && other.Entries.Length == 2);
        self.Texts.Should().Equal("all");
        self.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Deliver_SubscriberThrows_EndsThisSubscriptionOnly()
    {
        var broken = new RecordingSubscriber();
        var healthy = new RecordingSubscriber();
        await using var first = await Hub.SubscribeAsync(broken, ["t"], cancellationToken: Cancel);
        await using var second = await Hub.SubscribeAsync(healthy, ["t"], cancellationToken: Cancel);
        await Until.True(() => broken.Items.Length == 1);
        broken.Error = new IOException("gone");

        await PublishAsync("t", 0, 3);

        (await broken.Ended.Task.WaitAsync(Until.Bound, Cancel)).Should().Be(TopicSubscriptionEnd.Failed);
        await Until.True(() => healthy.Entries.Length == 3);
    }

    [Fact]
    public async Task Dispose_WhileWaiting_DeliversNothingAndLetsGoOfTheTopic()
    {
        var subscriber = new RecordingSubscriber();
        var subscription = await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);
        await Until.True(() => subscriber.Items.Length == 1);

        await subscription.DisposeAsync();
        await subscription.DisposeAsync();
        await PublishAsync("t", 0, 3);

        subscription.End.Should().Be(TopicSubscriptionEnd.Disposed);
        subscriber.Ended.Task.IsCompleted.Should().BeFalse();
        await subscription.Awaiting(subscription => subscription.AddAsync("u").AsTask()).Should().ThrowAsync<InvalidOperationException>();
        subscriber.Entries.Should().BeEmpty();
    }

    [Fact]
    public async Task GetCursor_SeveralTopics_NamesEachPositionSoFar()
    {
        var subscriber = new RecordingSubscriber { TakesCursors = true };
        await using var subscription = await Hub.SubscribeAsync(subscriber, ["a"], cancellationToken: Cancel);
        await PublishAsync("a", 0, 3);
        await Until.True(() => subscriber.Entries.Length == 3);
        await subscription.AddAsync("b", null, Cancel);
        await PublishAsync("b", 0, 400);
        await PublishAsync("a", 3, 4);
        await Until.True(() => subscriber.Entries.Length == 407);
        await subscription.RemoveAsync("a");
        var last = await PublishAsync("b", 400, 1);
        await Until.True(() => subscriber.Entries.Length == 408);
        await Until.True(() => subscription.Cursor.TryGetPosition("b", out var position) && position == last);   // moved once the subscriber has the batch

        var expected = TopicCursor.Empty;
        foreach (var (item, text) in subscriber.Items.Zip(subscriber.Cursors))
        {
            expected = item.Kind == TopicItemKind.Left ? expected.Without(item.Topic) : expected.With(item.Topic, item.Position);
            TopicCursor.TryParse(text, out var cursor).Should().BeTrue();
            cursor.ToArray().Should().BeEquivalentTo(expected.ToArray());
        }

        subscription.Cursor.ToArray().Should().BeEquivalentTo(expected.ToArray());
    }

    [Fact]
    public async Task ReadAll_InProcess_GivesEntriesAndGaps()
    {
        Options.Default.HistoryCount = 5;
        var cursor = await Hub.GetCursorAsync(["t"], Cancel);
        await PublishAsync("t", 1, 8);

        var read = new List<string>();
        await foreach (var item in Hub.ReadAllAsync(["t"], cursor, cancellationToken: Cancel))
        {
            read.Add(item.Kind == TopicItemKind.Gap ? $"gap {item.Gap.From.Offset}-{item.Gap.To.Offset}" : item.Entry.Text());
            if (read.Count == 6)
                await PublishAsync("t", 9, 1);
            if (read.Count == 7)
                break;
        }

        read.Should().Equal("gap 0-3", "4", "5", "6", "7", "8", "9");
    }

    [Fact]
    public async Task ReadAll_Cancelled_Throws()
    {
        using var source = new CancellationTokenSource();
        var reading = Task.Run(
            async () =>
            {
                await foreach (var item in Hub.ReadAllAsync(["t"], cancellationToken: source.Token))
                {
                }
            },
            Cancel);

        await source.CancelAsync();

        await reading.Awaiting(reading => reading).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task Deliver_ManySubscribersAndAPublisher_AllGetEverything()
    {
        const int Count = 300;
        var subscribers = Enumerable.Range(0, Count).Select(_ => new RecordingSubscriber()).ToArray();
        foreach (var subscriber in subscribers)
            await Hub.SubscribeAsync(subscriber, ["t"], cancellationToken: Cancel);

        await PublishAsync("t", 0, 200);

        await Until.True(() => subscribers.All(subscriber => subscriber.Entries.Length == 200));
        foreach (var subscriber in subscribers)
            subscriber.Texts.Should().Equal(Numbers(0, 200));
    }
}
