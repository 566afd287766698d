namespace RealtimeKit.Topics.Tests;

public sealed partial class TopicSubscriptionTests : IAsyncDisposable
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
