using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis.Tests.Faults;

/// <summary>Redis loses what it had acknowledged: subscribers are told, on every node, and nothing is mixed up.</summary>
public sealed class LostHistoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Redis_FlushedUnderLoad_BeginsAnEpochAndTellsEverySubscriber()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        await using var near = await Reader.StartAsync(here, "topic");
        await using var far = await Reader.StartAsync(there, "topic", near.Start);
        await using var publisher = new Publisher(here, "topic", "p");

        await publisher.MoreAsync(50);
        (await server.ExecuteAsync("FLUSHALL")).Should().Be("+OK");
        await publisher.MoreAsync(50);
        await publisher.DisposeAsync();

        var end = await there.PublishAsync("topic", "end");
        end.Epoch.Should().BeGreaterThan(near.Start.Epoch);
        foreach (var reader in (Reader[])[near, far])
        {
            await reader.UntilAsync(end);
            reader.ShouldBeHonest(publisher.Acknowledged);
            reader.Gaps.Should().ContainSingle(gap => gap.From.Epoch == near.Start.Epoch && gap.To.Epoch == end.Epoch);
        }
    }

    [Fact]
    public async Task Redis_FlushedWhileNobodyPublishes_IsNoticedByTheSweep()
    {
        await using var server = await RedisServer.StartAsync();
        await using var publishing = Nodes.Create(server);
        await using var engine = Nodes.Create(server, static options => options.SweepInterval = TimeSpan.FromMilliseconds(100));
        await using var reader = await Reader.StartAsync(engine, "topic");
        await reader.UntilAsync(await publishing.PublishAsync("topic", "x"));

        await server.ExecuteAsync("FLUSHALL");

        await Eventually.TrueAsync(() => reader.Gaps.Count == 1);
        reader.Gaps[0].From.Should().Be(reader.Entries[0].Position);
        reader.Gaps[0].To.Epoch.Should().BeGreaterThan(reader.Start.Epoch);
        await reader.UntilAsync(await publishing.PublishAsync("topic", "y"));
        reader.Payloads.Should().Equal("x", "y");
    }

    [Fact]
    public async Task Redis_StreamTrimmedByHand_IsAGapForThoseWhoAreBehindOnly()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await using var live = await Reader.StartAsync(engine, "topic");
        TopicPosition position = default;
        for (var i = 0; i < 10; i++)
            position = await engine.PublishAsync("topic", $"{i}");
        await live.UntilAsync(position);

        (await server.ExecuteAsync("XTRIM test:{topic}:log MAXLEN = 3")).Should().Be(":7");
        var page = await engine.ReadAsync("topic", live.Start, 10, Token);
        page.Gap.Should().Be(new TopicGap("topic", live.Start, position with { Offset = 7 }));
        page.Entries.Length.Should().Be(3);

        (await server.ExecuteAsync("XTRIM test:{topic}:log MAXLEN = 0")).Should().Be(":3");
        page = await engine.ReadAsync("topic", live.Start, 10, Token);
        page.Gap.Should().Be(new TopicGap("topic", live.Start, position));

        await live.UntilAsync(await engine.PublishAsync("topic", "next"));
        live.Gaps.Should().BeEmpty();
        live.Payloads.Should().HaveCount(11);
    }

    [Theory]
    [InlineData("log")]     // the stream is evicted or deleted
    [InlineData("state")]   // what numbers it is
    public async Task Redis_OneKeyDeleted_IsToldAndGoesOn(string part)
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        await using var live = await Reader.StartAsync(there, "topic");
        var acknowledged = new List<KeyValuePair<TopicPosition, string>>();
        async Task PublishAsync(string payload) => acknowledged.Add(new(await here.PublishAsync("topic", payload), payload));
        await PublishAsync("1");
        await PublishAsync("2");
        await live.UntilAsync(acknowledged[^1].Key);

        (await server.ExecuteAsync($"DEL test:{{topic}}:{part}")).Should().Be(":1");
        await PublishAsync("3");
        await PublishAsync("4");

        await live.UntilAsync(acknowledged[^1].Key);
        await using var elsewhere = Nodes.Create(server);   // the other nodes still have it all in their memory
        await using var late = await Reader.StartAsync(elsewhere, "topic", live.Start);
        await late.UntilAsync(acknowledged[^1].Key);
        live.ShouldBeHonest(acknowledged);
        live.Payloads.Should().Equal("1", "2", "3", "4");
        late.ShouldBeHonest(acknowledged);
        late.Gaps.Should().NotBeEmpty();
        late.Payloads.Should().EndWith(["3", "4"]);
    }

    [Fact]
    public async Task Redis_WentBackAndOnUnderTheSameNumbers_IsNoticedThoughThisNodeHasAskedForThePosition()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(engine, "topic");
        await GoBackAsync(server, engine, reader);
        await engine.GetPositionAsync("topic", Token);

        (await server.ExecuteAsync("CLIENT KILL TYPE pubsub")).Should().NotBe(":0");

        await Eventually.TrueAsync(() => reader.Gaps.Count > 0, "an entry is missing, and the subscriber must be told");
        await reader.UntilAsync(await engine.PublishAsync("topic", "end"));
        reader.Payloads[^1].Should().Be("end");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]   // this node is the first to publish
    public async Task Redis_WentBackWhileTheConnectionWasLost_IsNoticedThoughItIsPublishedToAtOnce(bool publishesHere)
    {
        await using var server = await RedisServer.StartAsync();
        await using var line = new CuttableLine(server);
        await using var elsewhere = Nodes.Create(server);
        await using var engine = Nodes.Create(
            server, options => options.Configuration = RedisTopicOptions.CreateConfiguration($"127.0.0.1:{line.Port},asyncTimeout=20000,connectTimeout=2000"));
        await using var reader = await Reader.StartAsync(engine, "topic");
        await GoBackAsync(server, engine, reader, line.Cut);
        await server.ListenersAsync("test:{topic}:new", 0);

        line.Mend();
        await server.ListenersAsync("test:{topic}:new", 1);
        await using (var publisher = new Publisher(publishesHere ? engine : elsewhere, "topic", "p"))
            await publisher.MoreAsync(3);

        await Eventually.TrueAsync(() => reader.Gaps.Count > 0, "an entry is missing, and the subscriber must be told");
        await reader.UntilAsync(await elsewhere.PublishAsync("topic", "end"));
        reader.Payloads[^1].Should().Be("end");
    }

    [Theory]
    [InlineData(0)]    // behind what the node has seen
    [InlineData(20)]   // as far: other entries with the same numbers
    [InlineData(40)]   // further
    public async Task Redis_RestoredFromAnOlderCopy_BeginsAnEpoch(int publishedMeanwhile)
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(engine, "topic");
        var acknowledged = new List<KeyValuePair<TopicPosition, string>>();
        for (var i = 0; i < 10; i++)
            acknowledged.Add(new(await engine.PublishAsync("topic", $"kept {i}"), $"kept {i}"));
        var copy = server.CopyData();
        for (var i = 0; i < 20; i++)
            acknowledged.Add(new(await engine.PublishAsync("topic", $"lost {i}"), $"lost {i}"));
        await reader.UntilAsync(acknowledged[^1].Key);

        // What stands for a failover: another server has less history, and its nodes do not know.
        await server.KillAsync();
        server.RestoreData(copy);
        Directory.Delete(copy, recursive: true);
        if (publishedMeanwhile > 0)
        {
            await using var elsewhere = await server.StartElsewhereAsync();
            await using (var other = Nodes.Create(elsewhere))
            {
                for (var i = 0; i < publishedMeanwhile; i++)
                    (await other.PublishAsync("topic", $"other {i}")).Should().Be(acknowledged[9].Key with { Offset = 11UL + (ulong)i });
            }

            await elsewhere.KillAsync();
        }

        await server.StartProcessAsync();
        await Eventually.TrueAsync(() => engine.Connection.IsConnected);
        await Eventually.TrueAsync(() => reader.Gaps.Count > 0, "the subscriber is told, though nobody publishes");
        await reader.UntilAsync(await engine.PublishAsync("topic", "end"));

        reader.ShouldBeHonest(acknowledged);
        reader.Position.Epoch.Should().BeGreaterThan(reader.Start.Epoch);
        reader.Payloads.Take(30).Should().Equal(acknowledged.Select(static pair => pair.Value));
        reader.Payloads[^1].Should().Be("end");

        // Who comes with a cursor from before still gets what both histories have, and is told of the rest.
        await using var late = await Reader.StartAsync(engine, "topic", reader.Start);
        await late.UntilAsync(reader.Position);
        late.Payloads.Take(10).Should().Equal(acknowledged.Take(10).Select(static pair => pair.Value));
        late.Gaps.Should().NotBeEmpty();
    }

    // What stands for a failover: a server without the last entry, which has gone on under its number and past it before this node is back.
    private static async Task GoBackAsync(RedisServer server, RedisTopicEngine engine, Reader reader, Action? lose = null)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var database = redis.GetDatabase();
        var kept = await engine.PublishAsync("topic", "kept");
        var tag = await database.HashGetAsync("test:{topic}:state", "tag");
        var lost = await engine.PublishAsync("topic", "lost");
        await reader.UntilAsync(lost);
        lose?.Invoke();
        await database.ExecuteAsync("XDEL", "test:{topic}:log", lost.ToString());
        await database.ExecuteAsync("XSETID", "test:{topic}:log", kept.ToString());
        await database.HashSetAsync("test:{topic}:state", [new("offset", kept.Offset), new("tag", tag)]);
        (await LostNoticeTests.PublishWithoutNoticeAsync(server, "other", kept)).Should().Be(lost);
        await LostNoticeTests.PublishWithoutNoticeAsync(server, "other 2", lost);
    }
}
