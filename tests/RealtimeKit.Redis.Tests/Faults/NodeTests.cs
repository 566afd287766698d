using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Faults;

/// <summary>Several nodes over one Redis, publishers that never stop.</summary>
public sealed class NodeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Publish_OnEveryNodeAtOnce_EveryNodeHasTheSameRecord(int nodes)
    {
        await using var server = await RedisServer.StartAsync();
        var engines = Enumerable.Range(0, nodes).Select(_ => Nodes.Create(server, topics: Nodes.LongHistory)).ToArray();
        var start = await engines[0].GetPositionAsync("topic", Token);
        var readers = await Task.WhenAll(engines.Select(engine => Reader.StartAsync(engine, "topic")));
        var publishers = engines.SelectMany((engine, i) => new[] { new Publisher(engine, "topic", $"a{i}"), new Publisher(engine, "topic", $"b{i}") }).ToArray();

        await Task.WhenAll(publishers.Select(static publisher => publisher.MoreAsync(300)));
        await using var late = await Reader.StartAsync(engines[^1], "topic", start);
        await Task.WhenAll(publishers.Select(static publisher => publisher.MoreAsync(100)));
        foreach (var publisher in publishers)
            await publisher.DisposeAsync();
        var end = await engines[0].PublishAsync("topic", "end");

        var acknowledged = publishers.SelectMany(static publisher => publisher.Acknowledged).ToArray();
        var expected = acknowledged.OrderBy(static pair => pair.Key).Select(static pair => pair.Value).Append("end").ToArray();
        foreach (var reader in (Reader[])[.. readers, late])
        {
            await reader.UntilAsync(end);
            reader.ShouldBeHonest(acknowledged);
            reader.Gaps.Where(_ => reader != late).Should().BeEmpty();
            if (reader != late)
                reader.Payloads.Should().Equal(expected);
            await reader.DisposeAsync();
        }

        foreach (var publisher in publishers)
            Sequences(expected, publisher.Acknowledged[0].Value.Split('/')[0]).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        foreach (var engine in engines)
            await engine.DisposeAsync();
    }

    [Fact]
    public async Task Subscribe_WhileItIsPublishedTo_NothingFallsBetweenHistoryAndLive()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server, topics: Nodes.LongHistory);
        await using var there = Nodes.Create(server, topics: Nodes.LongHistory);
        await using var publisher = new Publisher(here, "topic", "p");
        await publisher.MoreAsync(10);

        for (var i = 0; i < 20; i++)
        {
            var cursor = await there.GetPositionAsync("topic", Token);
            await publisher.MoreAsync(3);
            await using var reader = await Reader.StartAsync(there, "topic", cursor);
            await publisher.MoreAsync(3);
            var acknowledged = publisher.Acknowledged;
            await reader.UntilAsync(acknowledged[^1].Key);
            reader.ShouldBeHonest(acknowledged);
            reader.Gaps.Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Publish_ManyTopics_DoNotMix()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        string[] topics = ["a", "b", "{a}", "a}", "{a", "%7Ba", "a:log", "a b", "ä/☃", "*", "a}:log"];
        var readers = await Task.WhenAll(topics.Select(topic => Reader.StartAsync(there, topic)));

        var ends = await Task.WhenAll(topics.Select(async topic =>
        {
            await here.PublishAsync(topic, $"1 {topic}");
            return await here.PublishAsync(topic, $"2 {topic}");
        }));

        for (var i = 0; i < topics.Length; i++)
        {
            await readers[i].UntilAsync(ends[i]);
            ends[i].Offset.Should().Be(2);
            readers[i].Payloads.Should().Equal($"1 {topics[i]}", $"2 {topics[i]}");
            await readers[i].DisposeAsync();
        }
    }

    [Fact]
    public async Task Publish_WithAnotherPrefix_IsAnotherTopic()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Nodes.Create(server, static options => options.KeyPrefix = "one");
        await using var other = Nodes.Create(server, static options => options.KeyPrefix = "other");
        await using var reader = await Reader.StartAsync(one, "topic");

        await other.PublishAsync("topic", "secret");
        await reader.UntilAsync(await one.PublishAsync("topic", "mine"));

        reader.Payloads.Should().Equal("mine");
    }

    private static IEnumerable<ulong> Sequences(IEnumerable<string> payloads, string id) =>
        payloads.Where(payload => payload.StartsWith(id + "/", StringComparison.Ordinal))
            .Select(payload => ulong.Parse(payload[(id.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture));
}
