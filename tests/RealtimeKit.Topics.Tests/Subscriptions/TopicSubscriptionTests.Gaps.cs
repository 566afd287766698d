namespace RealtimeKit.Topics.Tests;

public sealed partial class TopicSubscriptionTests
{
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
}
