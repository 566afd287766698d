using System.Text;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis.Tests.Faults;

public sealed class LostNoticeTests
{
    [Theory]
    [InlineData("resp2")]   // notices come on a connection of their own
    [InlineData("resp3")]   // one connection for everything
    public async Task Connection_ForNoticesKilledAgainAndAgain_LosesNothing(string protocol)
    {
        await using var server = await RedisServer.StartAsync();
        await using var publishing = Nodes.Create(server, topics: Nodes.LongHistory);
        await using var engine = Nodes.Create(
            server,
            options => options.Configuration.Protocol = protocol == "resp2" ? RedisProtocol.Resp2 : RedisProtocol.Resp3,
            Nodes.LongHistory);
        await using var reader = await Reader.StartAsync(engine, "topic");
        await using var publisher = new Publisher(publishing, "topic", "p");

        for (var i = 0; i < 5; i++)
        {
            await publisher.MoreAsync(20);
            await Eventually.TrueAsync(async () => await server.ExecuteAsync("CLIENT KILL TYPE pubsub") != ":0");   // it may not be back yet
            // Nothing but catching up when the connection is back can bring it: the sweep comes in ten minutes.
            await reader.UntilAsync(publisher.Acknowledged[^1].Key);
        }

        await publisher.DisposeAsync();
        await reader.UntilAsync(await publishing.PublishAsync("topic", "end"));
        reader.ShouldBeHonest(publisher.Acknowledged);
        reader.Gaps.Should().BeEmpty();
        reader.Payloads.Should().OnlyHaveUniqueItems();
    }

    [Theory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    public async Task Connection_AwayWhileOthersPublish_IsCaughtUpWhenItIsBackThoughNobodyPublishesAnyMore(RedisProtocol protocol)
    {
        await using var server = await RedisServer.StartAsync();
        await using var line = new CuttableLine(server);
        await using var publishing = Nodes.Create(server);
        await using var engine = Nodes.Create(server, options =>
        {
            options.Configuration = RedisTopicOptions.CreateConfiguration($"127.0.0.1:{line.Port},asyncTimeout=20000,connectTimeout=2000");
            options.Configuration.Protocol = protocol;
        });
        await using var reader = await Reader.StartAsync(engine, "topic");
        await reader.UntilAsync(await publishing.PublishAsync("topic", "0"));

        line.Cut();
        await Eventually.TrueAsync(() => !engine.Connection.IsConnected);
        TopicPosition end = default;
        for (var i = 1; i <= 10; i++)
            end = await publishing.PublishAsync("topic", $"{i}");
        line.Mend();

        await reader.UntilAsync(end);
        reader.Payloads.Should().Equal(Enumerable.Range(0, 11).Select(static i => $"{i}"));
        reader.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Notice_ThatNeverCame_IsFoundByTheNextNoticeOrTheSweep()
    {
        await using var server = await RedisServer.StartAsync();
        await using var publishing = Nodes.Create(server);
        await using var waiting = Nodes.Create(server);
        await using var sweeping = Nodes.Create(server, static options => options.SweepInterval = TimeSpan.FromMilliseconds(100));
        await using var waits = await Reader.StartAsync(waiting, "topic");
        await using var sweeps = await Reader.StartAsync(sweeping, "topic");
        var first = await publishing.PublishAsync("topic", "1");
        await waits.UntilAsync(first);

        var second = await PublishWithoutNoticeAsync(server, "2", first);
        await sweeps.UntilAsync(second);
        waits.Position.Should().Be(first, "nobody told this node");
        var third = await publishing.PublishAsync("topic", "3");
        await waits.UntilAsync(third);
        await sweeps.UntilAsync(third);

        waits.Payloads.Should().Equal("1", "2", "3");
        sweeps.Payloads.Should().Equal("1", "2", "3");
        waits.Gaps.Should().BeEmpty();
        sweeps.Gaps.Should().BeEmpty();
    }

    // The script of a publish, with a channel that nobody listens to.
    internal static async Task<TopicPosition> PublishWithoutNoticeAsync(RedisServer server, string payload, TopicPosition seen)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var metadata = EntryMetadata.Encode(new TopicPublication("topic", Encoding.UTF8.GetBytes(payload)), out _);
        RedisKey[] keys = ["test:{topic}:log", "test:{topic}:state", "test:{topic}:producers", "test:{topic}:producers:at", "test:{topic}:state"];
        var result = await redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Publish,
            keys,
            ["nobody", 1 << 20, -1, -1, 60_000, $"{seen.Epoch}", $"{seen.Offset}", "", metadata, payload, 1000, 1000, "", 0, 1000, 10, 0]);
        return new TopicPosition((ulong)result[0], (ulong)result[1]);
    }
}
