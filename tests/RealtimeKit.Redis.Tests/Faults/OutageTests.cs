using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Faults;

/// <summary>Redis goes away and comes back, with everything that it acknowledged (<c>appendfsync always</c>).</summary>
public sealed class OutageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Redis_KilledAndStartedAgainUnderLoad_LosesNothingAcknowledged()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server, topics: Nodes.LongHistory);
        await using var there = Nodes.Create(server, topics: Nodes.LongHistory);
        await using var near = await Reader.StartAsync(here, "topic");
        await using var far = await Reader.StartAsync(there, "topic", near.Start);
        await using var publisher = new Publisher(here, "topic", "p");
        await using var second = new Publisher(there, "topic", "q");

        for (var round = 0; round < 3; round++)
        {
            await publisher.MoreAsync(100);
            await server.KillAsync();
            var failures = publisher.Failures;
            await Eventually.TrueAsync(() => publisher.Failures > failures, "publishing fails while Redis is away");
            await server.StartProcessAsync();
            await publisher.MoreAsync(50);
            await second.MoreAsync(50);
        }

        await publisher.DisposeAsync();
        await second.DisposeAsync();
        var acknowledged = publisher.Acknowledged.Concat(second.Acknowledged).ToArray();
        var end = await here.PublishAsync("topic", "end");
        foreach (var reader in (Reader[])[near, far])
        {
            await reader.UntilAsync(end);
            reader.ShouldBeHonest(acknowledged);
            reader.Gaps.Should().BeEmpty("all was on disk");
            reader.Payloads.Should().OnlyHaveUniqueItems("what was tried again is stored once");
            reader.Position.Epoch.Should().Be(reader.Start.Epoch);
        }
    }

    [Fact]
    public async Task Redis_PausedUnderLoad_GoesOnWithoutLossOrDuplicate()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server, options => options.Configuration = Impatient(server), Nodes.LongHistory);
        await using var there = Nodes.Create(server, options => options.Configuration = Impatient(server), Nodes.LongHistory);
        await using var reader = await Reader.StartAsync(there, "topic");
        await using var publisher = new Publisher(here, "topic", "p");
        await publisher.MoreAsync(50);

        await server.PauseAsync();
        var failures = publisher.Failures;
        await Eventually.TrueAsync(() => publisher.Failures > failures, "nobody answers");
        await server.ContinueAsync();
        await publisher.MoreAsync(50);
        await publisher.DisposeAsync();

        await reader.UntilAsync(await here.PublishAsync("topic", "end"));
        reader.ShouldBeHonest(publisher.Acknowledged);
        reader.Gaps.Should().BeEmpty();
        reader.Payloads.Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Publish_WhileRedisIsAway_FailsAtOnceWithAClearError()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await engine.PublishAsync("topic", "x");
        await server.KillAsync();
        await Eventually.TrueAsync(() => !engine.Connection.IsConnected);

        var failure = await FluentActions.Awaiting(() => engine.PublishAsync("topic", "y").AsTask()).Should().ThrowAsync<TopicEngineException>();

        failure.Which.Message.Should().Be("Redis cannot be reached.");
        await FluentActions.Awaiting(() => engine.AttachAsync("topic", Token).AsTask()).Should().ThrowAsync<TopicEngineException>();
        await FluentActions.Awaiting(() => engine.GetPositionAsync("topic", Token).AsTask()).Should().ThrowAsync<TopicEngineException>();
        await FluentActions.Awaiting(() => engine.ReadAsync("topic", default, 1, Token).AsTask()).Should().ThrowAsync<TopicEngineException>();
    }

    [Fact]
    public async Task Publish_WithRetryTimeWhileRedisIsAway_WaitsAndIsStoredOnce()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, static options => options.PublishRetryTime = TimeSpan.FromMinutes(1));
        await using var reader = await Reader.StartAsync(engine, "topic");
        await engine.PublishAsync("topic", "before");
        await server.KillAsync();
        await Eventually.TrueAsync(() => !engine.Connection.IsConnected);

        var waiting = Enumerable.Range(0, 20).Select(i => engine.PublishAsync("topic", $"{i}").AsTask()).ToArray();
        waiting.Should().NotContain(static task => task.IsCompleted);
        await server.StartProcessAsync();

        await Task.WhenAll(waiting);
        await reader.UntilAsync(await engine.PublishAsync("topic", "after"));
        reader.Payloads.Should().HaveCount(22).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Publish_WithRetryTimeWhileRedisIsPaused_IsStoredOnceThoughItsAnswerWasLost()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, options =>
        {
            options.Configuration = Impatient(server);
            options.PublishRetryTime = TimeSpan.FromMinutes(1);
        });
        await using var reader = await Reader.StartAsync(engine, "topic");
        await engine.PublishAsync("topic", "before");

        await server.PauseAsync();
        var waiting = Enumerable.Range(0, 10).Select(i => engine.PublishAsync("topic", $"{i}").AsTask()).ToArray();
        // The tries that time out still reach Redis when it goes on, before those that are acknowledged.
        await Task.Delay(4000, Token);
        await server.ContinueAsync();

        await Task.WhenAll(waiting);
        await reader.UntilAsync(await engine.PublishAsync("topic", "after"));
        reader.Payloads.Should().HaveCount(12).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Publish_RetryTimeIsOver_Fails()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, static options => options.PublishRetryTime = TimeSpan.FromMilliseconds(300));
        await engine.PublishAsync("topic", "x");
        await server.KillAsync();

        await FluentActions.Awaiting(() => engine.PublishAsync("topic", "y").AsTask()).Should().ThrowAsync<TopicEngineException>();
    }

    [Fact]
    public async Task Attach_FailedWhileRedisIsAway_LeavesNoSubscriptionBehind()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await engine.PublishAsync("topic", "x");
        await server.KillAsync();
        await Eventually.TrueAsync(() => !engine.Connection.IsConnected);
        for (var i = 0; i < 3; i++)
            await FluentActions.Awaiting(() => engine.AttachAsync("topic", Token).AsTask()).Should().ThrowAsync<TopicEngineException>();

        await server.StartProcessAsync();

        await Eventually.TrueAsync(() => engine.Connection.IsConnected);
        await using (var reader = await StartReaderAsync(engine))
        {
            await server.ListenersAsync("test:{topic}:new", 1);
            await reader.UntilAsync(await engine.PublishAsync("topic", "y"));
            reader.Payloads.Should().Equal("y");
        }

        // The detachment has waited for Redis: what is still subscribed to is for somebody who is not there any more.
        (await server.ExecuteAsync("PUBSUB SHARDCHANNELS test:{topic}:*")).Should().Be("*0");
    }

    [Fact]
    public async Task Engine_StartedWhileRedisIsAway_ConnectsWhenItComes()
    {
        await using var server = await RedisServer.StartAsync();
        await server.KillAsync();
        await using var engine = Nodes.Create(server);
        await FluentActions.Awaiting(() => engine.PublishAsync("topic", "x").AsTask()).Should().ThrowAsync<TopicEngineException>();

        await server.StartProcessAsync();

        await using var publisher = new Publisher(engine, "topic", "p");
        await publisher.MoreAsync(3);
    }

    private static StackExchange.Redis.ConfigurationOptions Impatient(RedisServer server) => RedisTopicOptions.CreateConfiguration(server.ImpatientConnectionString);

    // The connection for notices may be back later than the one for commands.
    private static async Task<Reader> StartReaderAsync(RedisTopicEngine engine)
    {
        Reader? reader = null;
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                reader = await Reader.StartAsync(engine, "topic");
                return true;
            }
            catch (TopicEngineException)
            {
                return false;
            }
        });
        return reader!;
    }
}
