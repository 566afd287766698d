using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Faults;

/// <summary>A replica takes over that does not have all that the primary acknowledged.</summary>
public sealed class FailoverTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Replica_PromotedWithLessHistory_BeginsAnEpochAndTellsEverySubscriber(bool publishesBeforeNodesNotice)
    {
        await using var primary = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {primary.Port}", "--repl-diskless-sync-delay", "0");
        await using var here = Create(primary, replica);
        await using var there = Create(primary, replica);
        await using var near = await Reader.StartAsync(here, "topic");
        await using var far = await Reader.StartAsync(there, "topic", near.Start);
        var acknowledged = new List<KeyValuePair<TopicPosition, string>>();
        for (var i = 0; i < 10; i++)
            acknowledged.Add(new(await here.PublishAsync("topic", $"kept {i}"), $"kept {i}"));
        await Eventually.TrueAsync(async () => await replica.ExecuteAsync("XLEN test:{topic}:log") == ":10");
        // It does not hear of what comes now. Paused, it would find that in its socket afterwards.
        await replica.KillAsync();
        for (var i = 0; i < 10; i++)
            acknowledged.Add(new(await here.PublishAsync("topic", $"lost {i}"), $"lost {i}"));
        await near.UntilAsync(acknowledged[^1].Key);
        await far.UntilAsync(acknowledged[^1].Key);

        await primary.KillAsync();
        await replica.PromoteAsync();
        if (publishesBeforeNodesNotice)
        {
            // A node that has seen nothing goes on where the replica was, and past what the others have seen.
            await using var fresh = Create(replica, replica);
            for (var i = 0; i < 15; i++)
                acknowledged.Add(new(await fresh.PublishAsync("topic", $"other {i}"), $"other {i}"));
        }

        await using (var publisher = new Publisher(here, "topic", "p"))
        {
            await publisher.MoreAsync(5);
            await publisher.DisposeAsync();
            acknowledged.AddRange(publisher.Acknowledged);
        }

        foreach (var reader in (Reader[])[near, far])
        {
            await reader.UntilAsync(acknowledged[^1].Key);
            await Eventually.TrueAsync(() => reader.Position.Epoch > reader.Start.Epoch);   // it may begin after all that was published
            reader.Gaps.Should().NotBeEmpty();
            reader.Payloads.Take(20).Should().Equal(acknowledged.Take(20).Select(static pair => pair.Value));
            reader.Payloads.Should().EndWith(acknowledged.TakeLast(5).Select(static pair => pair.Value));
        }
    }

    private static RedisTopicEngine Create(RedisServer one, RedisServer other) => Nodes.Create(one, options =>
    {
        options.Configuration = RedisTopicOptions.CreateConfiguration(
            $"127.0.0.1:{one.Port},127.0.0.1:{other.Port},asyncTimeout=20000,connectTimeout=2000,configCheckSeconds=1");
        options.SweepInterval = TimeSpan.FromMilliseconds(200);
    });
}
