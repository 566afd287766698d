using System.Globalization;
using RealtimeKit.Topics;
using RealtimeKit.Topics.Tests;

namespace RealtimeKit.Redis.Tests.Engine;

/// <summary>Subscribers on a node whose log begins later than what Redis has.</summary>
public sealed class SubscriptionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 256)]
    [InlineData(5, 5)]
    [InlineData(1, 0)]   // only the newest is missing: nothing to skip
    public async Task SkipToNewest_WithinTheLagOnAFreshNode_GetsWhatRedisHas(int count, int maxLag)
    {
        await using var server = await RedisServer.StartAsync();
        await using var hub = CreateHub(server, maxLag);
        var cursor = await hub.GetCursorAsync(["topic"], Token);
        await PublishAsync(hub, 1, count);

        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["topic"], cursor, cancellationToken: Token);

        await Until.True(() => subscriber.Entries.Length == count);
        await PublishAsync(hub, count + 1, 1);
        await Until.True(() => subscriber.Entries.Length == count + 1);
        subscriber.Texts.Should().Equal(Numbers(1, count + 1));
        subscriber.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task SkipToNewest_TooFarBehindOnAFreshNode_GetsTheGapAndTheNewest()
    {
        await using var server = await RedisServer.StartAsync();
        await using var hub = CreateHub(server, maxLag: 5);
        var cursor = await hub.GetCursorAsync(["topic"], Token);
        var last = await PublishAsync(hub, 1, 10);

        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["topic"], cursor, cancellationToken: Token);

        await Until.True(() => subscriber.Entries.Length == 1);
        subscriber.Texts.Should().Equal("10");
        subscriber.Gaps.Should().Equal(new TopicGap("topic", last with { Offset = 0 }, last with { Offset = 9 }));
    }

    [Fact]
    public async Task SkipToNewest_WithinTheLagWhereTheLogBeganInBetween_GetsWhatRedisHas()
    {
        await using var server = await RedisServer.StartAsync();
        await using var hub = CreateHub(server, maxLag: 5);
        var cursor = await hub.GetCursorAsync(["topic"], Token);
        await PublishAsync(hub, 1, 2);
        var live = new RecordingSubscriber();
        await using var first = await hub.SubscribeAsync(live, ["topic"], cancellationToken: Token);
        await PublishAsync(hub, 3, 2);
        await Until.True(() => live.Entries.Length == 2);

        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["topic"], cursor, cancellationToken: Token);

        await Until.True(() => subscriber.Entries.Length == 4);
        subscriber.Texts.Should().Equal(Numbers(1, 4));
        subscriber.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task SkipToNewest_PastTheHistoryInRedis_TellsOneGap()
    {
        await using var server = await RedisServer.StartAsync();
        await using var hub = CreateHub(server, maxLag: 256, historyCount: 3);
        var cursor = await hub.GetCursorAsync(["topic"], Token);
        var last = await PublishAsync(hub, 1, 20);

        var subscriber = new RecordingSubscriber();
        await using var subscription = await hub.SubscribeAsync(subscriber, ["topic"], cursor, cancellationToken: Token);

        await Until.True(() => subscriber.Texts.LastOrDefault() == "20");
        subscriber.Texts.Should().Equal("20");
        subscriber.Gaps.Should().Equal(new TopicGap("topic", last with { Offset = 0 }, last with { Offset = 19 }));
    }

    private static TopicHub CreateHub(RedisServer server, int maxLag, int historyCount = 1000)
    {
        TopicsOptions? options = null;
        var engine = Nodes.Create(server, topics: topics =>
        {
            topics.Default.SlowConsumers = SlowConsumerPolicy.SkipToNewest;
            topics.Default.MaxLag = maxLag;
            topics.Default.HistoryCount = historyCount;
            options = topics;
        });
        return new TopicHub(engine, options);
    }

    private static async Task<TopicPosition> PublishAsync(TopicHub hub, int first, int count)
    {
        TopicPosition position = default;
        foreach (var number in Numbers(first, count))
            position = await hub.PublishAsync("topic", number, cancellationToken: Token);
        return position;
    }

    private static IEnumerable<string> Numbers(int first, int count) =>
        Enumerable.Range(first, count).Select(static number => number.ToString(CultureInfo.InvariantCulture));
}
