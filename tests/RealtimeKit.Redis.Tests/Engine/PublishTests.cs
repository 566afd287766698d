using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Engine;

public sealed class PublishTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_Several_AreNumberedWithoutHolesFromOne()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);

        var positions = new List<TopicPosition>();
        for (var i = 0; i < 5; i++)
            positions.Add(await engine.PublishAsync("topic", "x"));

        positions.Select(static position => position.Offset).Should().Equal(1UL, 2UL, 3UL, 4UL, 5UL);
        positions.Select(static position => position.Epoch).Distinct().Should().ContainSingle().Which.Should().BePositive();
        (await engine.GetPositionAsync("topic", Token)).Should().Be(positions[^1]);
    }

    [Fact]
    public async Task Publish_EverythingThatAnEntryHas_ArrivesOnAnotherNodeFromTheNoticeAndFromTheStream()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        await using var live = await Reader.StartAsync(there, "topic");
        var parent = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var publication = new TopicPublication("topic", Encoding.UTF8.GetBytes("päyload"))
        {
            EventType = "score",
            Key = "key \u0001{}",
            ExcludedConnection = "c1",
            IsJson = true,
            UserId = "ännchen",
            Activity = parent,
            MessageType = WebSocketMessageType.Binary,
        };

        var position = await here.PublishAsync(publication, Token);
        await live.UntilAsync(position);
        await using var late = await Reader.StartAsync(there, "topic", live.Start);
        await late.UntilAsync(position);

        foreach (var entry in (TopicEntry[])[live.Entries.Single(), late.Entries.Single()])
        {
            entry.Position.Should().Be(position);
            Encoding.UTF8.GetString(entry.Payload.Span).Should().Be("päyload");
            entry.EventType.Should().Be("score");
            entry.Key.Should().Be("key \u0001{}");
            entry.ExcludedConnection.Should().Be("c1");
            entry.IsJson.Should().BeTrue();
            entry.UserId.Should().Be("ännchen");
            entry.Activity.TraceId.Should().Be(parent.TraceId);
            entry.Activity.SpanId.Should().Be(parent.SpanId);
            entry.Activity.TraceFlags.Should().Be(ActivityTraceFlags.Recorded);
            entry.MessageType.Should().Be(WebSocketMessageType.Binary);
            entry.PublishedAt.Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 }, WebSocketMessageType.Binary)]
    [InlineData(new byte[] { 0xC3, 0xA4 }, WebSocketMessageType.Text)]
    [InlineData(new byte[0], WebSocketMessageType.Text)]
    public async Task Publish_WithoutMessageType_IsTextWhereThePayloadIsUtf8(byte[] payload, WebSocketMessageType expected)
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(engine, "topic");

        await reader.UntilAsync(await engine.PublishAsync(new TopicPublication("topic", payload), Token));

        reader.Entries.Single().MessageType.Should().Be(expected);
        reader.Entries.Single().Payload.ToArray().Should().Equal(payload);
    }

    [Fact]
    public async Task Publish_MoreThanANoticeHolds_IsReadByTheNode()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(there, "topic");
        var large = new byte[1 << 20];
        Random.Shared.NextBytes(large);

        await here.PublishAsync("topic", "small");
        await here.PublishAsync(new TopicPublication("topic", large), Token);
        await reader.UntilAsync(await here.PublishAsync("topic", "small again"));

        reader.Entries.Should().HaveCount(3);
        reader.Entries[1].Payload.Span.SequenceEqual(large).Should().BeTrue();
        reader.Gaps.Should().BeEmpty();
    }

    [Fact]
    public async Task Publish_RetriesOfAProducer_StoreNothingAndGiveItsLastPosition()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(here, "topic");

        var first = await here.PublishAsync("topic", "1", "p", 1);
        var other = await there.PublishAsync("topic", "other", "q", 1);
        var last = await here.PublishAsync("topic", "max", "p", ulong.MaxValue);
        (await there.PublishAsync("topic", "again", "p", ulong.MaxValue)).Should().Be(last);
        (await there.PublishAsync("topic", "again", "p", ulong.MaxValue - 1)).Should().Be(last);
        (await there.PublishAsync("topic", "again", "p", 1)).Should().Be(last);
        (await here.PublishAsync("topic", "again", "q", 1)).Should().Be(other);
        var end = await here.PublishAsync("topic", "end");

        end.Offset.Should().Be(4);
        await reader.UntilAsync(end);
        reader.Payloads.Should().Equal("1", "other", "max", "end");
        first.Offset.Should().Be(1);
    }

    [Fact]
    public async Task Publish_ManyRetriesAtOnce_StoreOne()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = Nodes.Create(server);
        await using var there = Nodes.Create(server);

        var positions = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? here : there).PublishAsync("topic", "once", "p", 7).AsTask()));

        positions.Distinct().Should().ContainSingle();
        (await here.GetPositionAsync("topic", Token)).Offset.Should().Be(1);
    }

    [Fact]
    public async Task Publish_MoreProducersThanAreRemembered_TheOldestIsForgotten()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, static options => options.MaxProducersPerTopic = 2);
        await engine.PublishAsync("topic", "a", "a", 1);
        await Task.Delay(5, Token);   // producers are told apart by milliseconds
        var b = await engine.PublishAsync("topic", "b", "b", 1);
        await Task.Delay(5, Token);
        var c = await engine.PublishAsync("topic", "c", new string('c', 1000), 1);

        (await engine.PublishAsync("topic", "c", new string('c', 1000), 1)).Should().Be(c);
        (await engine.PublishAsync("topic", "b", "b", 1)).Should().Be(b);
        (await engine.PublishAsync("topic", "a", "a", 1)).Offset.Should().Be(4, "a was forgotten");
    }

    [Fact]
    public async Task Publish_ProducerSilentForItsLifetime_LeavesNothingInRedis()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, static options => options.ProducerLifetime = TimeSpan.FromSeconds(5));
        await engine.PublishAsync("topic", "a", "a", 1);
        (await server.ExecuteAsync("EXISTS test:{topic}:producers test:{topic}:producers:at")).Should().Be(":2");

        await Eventually.TrueAsync(async () => await server.ExecuteAsync("EXISTS test:{topic}:producers test:{topic}:producers:at") == ":0");
    }

    [Fact]
    public async Task Publish_NameThatIsNotAllowed_IsRefused()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);

        await FluentActions.Awaiting(() => engine.PublishAsync("new\nline", "x").AsTask()).Should().ThrowAsync<ArgumentException>();
        await FluentActions.Awaiting(() => engine.PublishAsync("", "x").AsTask()).Should().ThrowAsync<ArgumentException>();
    }
}
