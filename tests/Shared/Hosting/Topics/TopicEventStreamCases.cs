using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class TopicEventStreamCases
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Open_ManyTopics_ComeOnOneStreamUnderTheirNames(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b");
        events.Topics.Should().Equal("a", "b");
        events.Key.Should().HaveLength(45);
        await server.Hub().PublishAsync("a", "one\ntwo");
        await server.Hub().PublishAsync("b", "three");
        await server.Hub().PublishAsync("a", "four", new TopicPublishOptions { EventType = "goal" });
        (await events.ReadAsync(3)).Should().BeEquivalentTo("a: one\ntwo", "b: three", "goal: four");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task LastEventId_OfALostStream_ResumesAllTopicsEvenThoseAddedByPost(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire);
        string? last;
        using (var events = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b"))
        {
            using var changed = await server.ChangeAsync(events.Key, ["c"], ["b"]);
            changed.StatusCode.Should().Be(HttpStatusCode.OK);
            JsonDocument.Parse(await changed.Content.ReadAsStringAsync(Until.Cancelled)).RootElement.GetProperty("topics").EnumerateArray()
                .Select(topic => topic.GetString()).Should().Equal("a", "c");
            await server.Hub().PublishAsync("b", "not any more");
            await server.Hub().PublishAsync("c", "1");
            (await events.ReadAsync(1)).Should().Equal("c: 1");
            last = events.LastEventId;
        }

        await server.Hub().PublishAsync("a", "2");
        await server.Hub().PublishAsync("c", "3");
        using var resumed = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b", ("Last-Event-ID", last!));
        resumed.Topics.Should().Equal("a", "c");
        (await resumed.ReadAsync(2)).Should().BeEquivalentTo("a: 2", "c: 3");
        await server.Hub().PublishAsync("c", "4");
        (await resumed.ReadAsync(1)).Should().Equal("c: 4");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task LastEventId_OfTheOpeningEvent_MissesNothing()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        string? last;
        using (var events = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b"))
            last = events.LastEventId;
        await server.Hub().PublishAsync("b", "1");
        using var resumed = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b", ("Last-Event-ID", last!));
        (await resumed.ReadAsync(1)).Should().Equal("b: 1");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task LastEventId_OfAFirstBatchWithoutRoomForAllTopics_NamesThemAll()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.BatchCount = 2);
        var cursor = await server.GetCursorAsync("?topic=a&topic=b");
        for (var i = 0; i < 10; i++)
            await server.Hub().PublishAsync("a", $"{i}");
        using var events = await TopicEvents.OpenAsync(server, "/live", ("Last-Event-ID", cursor));
        for (var i = 0; i < 10; i++)
        {
            TopicCursor.TryParse((await events.ReadAsync())!.Id, out var id).Should().BeTrue();
            id.Select(pair => pair.Key).Should().Equal("a", "b");
            id[0].Value.Offset.Should().Be((ulong)i + 1);
            id[1].Value.Offset.Should().Be(0);
        }
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("lastEventId")]
    [InlineData("after")]
    public async Task Cursor_OfAPage_MissesNothingBetweenRenderingAndSubscribing(string parameter)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        await server.Hub().PublishAsync("a", "in the page");
        var cursor = await server.GetCursorAsync("?topic=a");
        await server.Hub().PublishAsync("a", "between");
        using var events = await TopicEvents.OpenAsync(server, $"/live?topic=a&topic=b&{parameter}={cursor}");
        events.Topics.Should().Equal("a", "b");
        (await events.ReadAsync(1)).Should().Equal("a: between");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task LastEventId_HistoryHasGone_IsToldAsAGapBeforeTheRest(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, topics => topics.Default.HistoryCount = 2);
        var cursor = await server.GetCursorAsync("?topic=a");
        TopicCursor.TryParse(cursor, out var from).Should().BeTrue();
        for (var i = 0; i < 5; i++)
            await server.Hub().PublishAsync("a", $"{i}");
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a", ("Last-Event-ID", cursor));
        var gap = (await events.ReadAsync())!;
        gap.Type.Should().Be("gap");
        gap.Json.GetProperty("topic").GetString().Should().Be("a");
        gap.Json.GetProperty("from").GetString().Should().Be(from[0].Value.ToString());
        gap.Json.GetProperty("to").GetString().Should().Be((from[0].Value with { Offset = 3 }).ToString());
        (await events.ReadAsync(2)).Should().Equal("a: 3", "a: 4");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("?topic=a", "nonsense", 400)]
    [InlineData("?topic=a%0Ab", "", 400)]
    [InlineData("?topic=a&topic=b&topic=c", "", 400)]
    public async Task Open_AsksForWhatCannotBe_IsRefused(string query, string cursor, int status)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.MaxTopicsPerSubscription = 2);
        (await TopicEvents.StatusAsync(server, $"/live{query}", ("Last-Event-ID", cursor))).Should().Be(status);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Get_NeitherStreamNorSocketNorCursor_Is406()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var response = await server.SendAsync(HttpMethod.Get, "/live?topic=a", null, ("Accept", "text/html"));
        ((int)response.StatusCode).Should().Be(406);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Open_OptionsOfStreams_HeartbeatsRetryAndAgeApply()
    {
        var time = new FakeTimeProvider();
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, endpoint: options => options.ServerSentEvents = new ServerSentEventEndpointOptions
        {
            TimeProvider = time,
            Retry = TimeSpan.FromMilliseconds(700),
            MaxAge = TimeSpan.FromMinutes(1),
            WriteTimeout = Timeout.InfiniteTimeSpan,   // the clock may outrun a write
            Writer = new() { HeartbeatEventType = "alive" },
        });
        using var stream = await EventStream.OpenAsync(server, "/live?topic=a", ("Accept", "text/event-stream"));
        (await stream.ReadAsync()).Should().Be(": open");
        (await stream.ReadAsync()).Should().Be("retry: 700");
        (await stream.ReadAsync()).Should().StartWith("event: stream\n");
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a")).AsTask().Result.Count == 1);
        var rest = stream.ReadToEndAsync();
        for (var i = 0; i < 61; i++)   // to its age and no further: by this clock its handler would soon be cut off
        {
            time.Pass(TimeSpan.FromSeconds(1));
            await Task.Delay(5, Until.Cancelled);
        }

        (await rest).Should().Contain(block => block.StartsWith("event: alive", StringComparison.Ordinal));
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a")).AsTask().Result.Count == 0);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Open_ManyStreams_EachGetsEverythingInOrder()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        var streams = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => TopicEvents.OpenAsync(server, "/live?topic=a")));
        for (var i = 0; i < 50; i++)
            await server.Hub().PublishAsync("a", $"{i}");
        var expected = Enumerable.Range(0, 50).Select(i => $"a: {i}").ToArray();
        await Task.WhenAll(streams.Select(async stream =>
        {
            (await stream.ReadAsync(50)).Should().Equal(expected);
            stream.Dispose();
        }));
    }
}
