using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Engine;

public sealed class ReadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attach_Twice_IsOneLogAndTheLastDetachmentUnsubscribes()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        var one = await engine.AttachAsync("topic", Token);
        var two = await engine.AttachAsync("topic", Token);
        two.Should().BeSameAs(one);
        await SubscribersShouldBeAsync(server, 1);

        await engine.DetachAsync(one);
        await SubscribersShouldBeAsync(server, 1);
        await engine.DetachAsync(two);
        await SubscribersShouldBeAsync(server, 0);

        (await engine.AttachAsync("topic", Token)).Should().NotBeSameAs(one);
        await SubscribersShouldBeAsync(server, 1);
    }

    [Fact]
    public async Task Attach_AfterPublications_BeginsAtTheNewest()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        var position = await engine.PublishAsync("topic", "x");

        var log = await engine.AttachAsync("topic", Token);

        log.Position.Should().Be(position);
    }

    [Fact]
    public async Task Attach_ManyAtOnceWhileOthersDetach_EachSeesWhatIsPublishedAfterwards()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            for (var round = 0; round < 5; round++)
            {
                await using var reader = await Reader.StartAsync(engine, "topic");
                await reader.UntilAsync(await engine.PublishAsync("topic", $"{i}/{round}"));
                reader.Payloads.Should().Contain($"{i}/{round}");
                reader.Gaps.Should().BeEmpty();
            }
        }));
    }

    [Fact]
    public async Task Attach_GivenUpWhileRedisDoesNotAnswer_LeavesNoSubscription()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await engine.PublishAsync("topic", "x");
        await server.PauseAsync();
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var attaching = engine.AttachAsync("topic", impatience.Token).AsTask();
        await impatience.CancelAsync();
        await FluentActions.Awaiting(() => attaching).Should().ThrowAsync<OperationCanceledException>();
        await server.ContinueAsync();

        // The next command's answer comes after those of the attachment.
        await engine.PublishAsync("topic", "y");
        await SubscribersShouldBeAsync(server, 0);
        await using var reader = await Reader.StartAsync(engine, "topic");
        await reader.UntilAsync(await engine.PublishAsync("topic", "z"));
    }

    [Fact]
    public async Task Read_InPages_GivesAllInOrder()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        var start = await engine.GetPositionAsync("topic", Token);
        for (var i = 0; i < 10; i++)
            await engine.PublishAsync("topic", $"{i}");

        var page = await engine.ReadAsync("topic", start, 4, Token);
        page.Gap.Should().BeNull();
        page.Entries.ToArray().Select(static entry => entry.Position.Offset).Should().Equal(1UL, 2UL, 3UL, 4UL);
        page = await engine.ReadAsync("topic", page.Entries.Span[^1].Position, 100, Token);
        page.Gap.Should().BeNull();
        page.Entries.ToArray().Select(static entry => entry.Position.Offset).Should().Equal(5UL, 6UL, 7UL, 8UL, 9UL, 10UL);
        page = await engine.ReadAsync("topic", page.Entries.Span[^1].Position, 100, Token);
        page.Gap.Should().BeNull();
        page.Entries.Length.Should().Be(0);
    }

    [Fact]
    public async Task Read_HistoryTrimmedByCount_TellsTheGap()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, topics: static topics => topics.Default.HistoryCount = 5);
        var start = await engine.GetPositionAsync("topic", Token);
        for (var i = 0; i < 12; i++)
            await engine.PublishAsync("topic", $"{i}");

        var page = await engine.ReadAsync("topic", start, 100, Token);

        page.Gap.Should().Be(new TopicGap("topic", start, start with { Offset = 7 }));
        page.Entries.ToArray().Select(static entry => entry.Position.Offset).Should().Equal(8UL, 9UL, 10UL, 11UL, 12UL);
    }

    [Fact]
    public async Task Read_HistoryTrimmedByBytes_KeepsAboutTheBoundAndTheNewest()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, topics: static topics => topics.Default.HistoryBytes = 100_000);
        var start = await engine.GetPositionAsync("topic", Token);
        var position = start;
        for (var i = 0; i < 300; i++)
            position = await engine.PublishAsync("topic", new string('x', 1000 - 256));

        var page = await engine.ReadAsync("topic", start, 1000, Token);

        page.Gap.Should().NotBeNull();
        page.Entries.Span[^1].Position.Should().Be(position);
        page.Entries.Length.Should().BeInRange(90, 100, "a sixteenth of the bound is one mark");

        var huge = await engine.PublishAsync("topic", new string('x', 200_000));
        page = await engine.ReadAsync("topic", huge with { Offset = huge.Offset - 1 }, 10, Token);
        page.Entries.Length.Should().Be(1, "the newest entry is kept in any case");
    }

    [Fact]
    public async Task Read_HistoryOlderThanItsAge_IsAGap()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(
            server, static options => options.SweepInterval = TimeSpan.FromMilliseconds(100), static topics => topics.Default.HistoryAge = TimeSpan.FromSeconds(3));
        await using var reader = await Reader.StartAsync(engine, "topic");
        var position = await engine.PublishAsync("topic", "old");
        await reader.UntilAsync(position);

        await Eventually.TrueAsync(async () => await server.ExecuteAsync("XLEN test:{topic}:log") == ":0", "the sweep trims topics where nothing is published");
        var page = await engine.ReadAsync("topic", reader.Start, 10, Token);

        page.Gap.Should().Be(new TopicGap("topic", reader.Start, position));
        page.Entries.Length.Should().Be(0);
        var next = await engine.PublishAsync("topic", "new");
        next.Should().Be(position with { Offset = 2 });
        await reader.UntilAsync(next);
        reader.Gaps.Should().BeEmpty("whoever has caught up misses nothing");
    }

    [Fact]
    public async Task Publish_AfterHistoryHasBecomeTooOld_DropsItAndKeepsTheNewEntry()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, topics: static topics => topics.Default.HistoryAge = TimeSpan.FromMilliseconds(300));
        await using var reading = Nodes.Create(server);   // has an hour: for it the new entry does not become too old
        var first = await engine.PublishAsync("topic", "old");
        await Task.Delay(400, Token);

        var second = await engine.PublishAsync("topic", "new");

        var page = await reading.ReadAsync("topic", first, 10, Token);
        page.Gap.Should().BeNull();
        page.Entries.ToArray().Should().ContainSingle().Which.Position.Should().Be(second);
        page = await reading.ReadAsync("topic", first with { Offset = 0 }, 10, Token);
        page.Gap.Should().Be(new TopicGap("topic", first with { Offset = 0 }, first));
        page.Entries.ToArray().Should().ContainSingle().Which.Position.Should().Be(second);
    }

    [Fact]
    public async Task Read_PositionOfAnotherEpochOrBeyondTheNewest_IsFollowedByAGapUpToTheOldest()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        var position = await engine.PublishAsync("topic", "x");

        foreach (var after in (TopicPosition[])[new(1, 1), new(position.Epoch + 1, 5), position with { Offset = 100 }, new(ulong.MaxValue, ulong.MaxValue)])
        {
            var page = await engine.ReadAsync("topic", after, 10, Token);
            page.Gap.Should().Be(new TopicGap("topic", after, position with { Offset = 0 }));
            page.Entries.ToArray().Should().ContainSingle().Which.Position.Should().Be(position);
        }

        (await engine.GetPositionAsync("topic", Token)).Should().Be(position, "what a client says changes nothing");
    }

    [Fact]
    public async Task Topic_WithoutSubscribersPastItsLifetime_VanishesAndComesBackInAGreaterEpoch()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, topics: static topics =>
        {
            topics.IdleTopicLifetime = TimeSpan.FromMilliseconds(100);
            topics.Default.HistoryAge = TimeSpan.FromMilliseconds(100);
        });
        var position = await engine.PublishAsync("topic", "x");

        await Eventually.TrueAsync(async () => await server.ExecuteAsync("DBSIZE") == ":0");

        var next = await engine.PublishAsync("topic", "y");
        next.Epoch.Should().BeGreaterThan(position.Epoch);
        next.Offset.Should().Be(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]   // the stream alone was evicted or deleted
    public async Task Topic_PublishedToAfterItsStateWasMade_Vanishes(bool hadHistory)
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, topics: static topics =>
        {
            topics.IdleTopicLifetime = TimeSpan.FromSeconds(5);
            topics.Default.HistoryAge = TimeSpan.FromMilliseconds(100);
        });
        if (hadHistory)
        {
            await engine.PublishAsync("topic", "x");
            (await server.ExecuteAsync("DEL test:{topic}:log")).Should().Be(":1");
        }
        else
        {
            await engine.GetPositionAsync("topic", Token);
        }

        await engine.PublishAsync("topic", "y");

        (await server.ExecuteAsync("PTTL test:{topic}:log")).Should().NotBe(":-1");
        await Eventually.TrueAsync(async () => await server.ExecuteAsync("DBSIZE") == ":0");
    }

    private static Task SubscribersShouldBeAsync(RedisServer server, int count) => Eventually.TrueAsync(async () =>
    {
        // *2, channel, count: only the first line is read, so ask for the list of channels instead.
        var line = await server.ExecuteAsync("PUBSUB SHARDCHANNELS test:{topic}:*");
        return line == $"*{count}";
    });
}
