using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class TopicPostCases
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Publish_ByPathOrQuery_Is202WithThePosition(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, TopicsServer.AllowPublish);
        TopicCursor.TryParse(await server.GetCursorAsync("?topic=a/b"), out var cursor).Should().BeTrue();
        using var socket = await server.ConnectAsync("/live?topic=a/b");
        foreach (var (path, number) in new[] { ("/live/a/b", 1UL), ("/live/a%2Fb", 2UL), ("/live?topic=a/b", 3UL) })
        {
            using var response = await server.PostAsync(path, $"message {number}");
            response.StatusCode.Should().Be(HttpStatusCode.Accepted);
            JsonDocument.Parse(await response.Content.ReadAsStringAsync(Until.Cancelled)).RootElement.GetProperty("position").GetString()
                .Should().Be((cursor[0].Value with { Offset = number }).ToString());
            (await socket.ReceiveTextAsync()).Should().Be($"message {number}");
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Publish_AnyBytes_AreTextIffUtf8(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, TopicsServer.AllowPublish);
        using var socket = await server.ConnectAsync("/live?topic=a");
        foreach (var (payload, type) in new[]
        {
            ("ä"u8.ToArray(), WebSocketMessageType.Text),
            ([0xC3], WebSocketMessageType.Binary),
            ([], WebSocketMessageType.Text),
            (new byte[100_000], WebSocketMessageType.Text),
        })
        {
            using var response = await server.SendAsync(HttpMethod.Post, "/live/a", new ByteArrayContent(payload));
            response.StatusCode.Should().Be(HttpStatusCode.Accepted);
            var received = await socket.ReceiveMessageAsync();
            received.Type.Should().Be(type);
            received.Payload.Should().Equal(payload);
        }
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Publish_OverTheLimit_Is413AndNothingIsPublished(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, topics =>
        {
            TopicsServer.AllowPublish(topics);
            topics.MaxPayloadSize = 1000;
        });
        var before = await server.GetCursorAsync("?topic=a");
        foreach (var content in new HttpContent[] { new ByteArrayContent(new byte[1001]), new StreamContent(new Unsized(1001)), new StreamContent(new Unsized(100_000)) })
        {
            using var response = await server.SendAsync(HttpMethod.Post, "/live/a", content);
            response.StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        }

        (await server.GetCursorAsync("?topic=a")).Should().Be(before);
        using var fits = await server.SendAsync(HttpMethod.Post, "/live/a", new StreamContent(new Unsized(1000)));
        fits.StatusCode.Should().Be(HttpStatusCode.Accepted);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_ByDefault_NobodyMay()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var response = await server.PostAsync("/live/a", "x", ("X-User", "ann"));
        response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_NameIsNotAllowed_Is400()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        using var control = await server.PostAsync("/live/a%01", "x");
        control.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        using var twice = await server.PostAsync("/live?topic=a&topic=b", "x");
        twice.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Publish_TopicsAreFixed_OthersAreRefused()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, options =>
        {
            options.Topics = ["news"];
            options.AllowNamedTopics = false;
        });
        using var other = await server.PostAsync("/live/other", "x");
        other.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var news = await server.PostAsync("/live/news", "x");
        news.StatusCode.Should().Be(HttpStatusCode.Accepted);
        using var events = await TopicEvents.OpenAsync(server, "/live");
        events.Topics.Should().Equal("news");
        using var change = await server.ChangeAsync(events.Key, ["other"]);
        change.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_KeyIsWrong_Is404AsForAStreamThatHasGone()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        var id = events.Key.Split('.')[0];
        id.Should().Be((await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a"))).Single().ConnectionId);
        foreach (var key in new[] { "", "x", id, $"{id}.{new string('A', 22)}", $"{new string('A', 22)}.{events.Key.Split('.')[1]}" })
        {
            using var response = await server.ChangeAsync(key, ["b"]);
            response.StatusCode.Should().Be(HttpStatusCode.NotFound, key);
        }

        events.Dispose();
        await Until.TrueAsync(() => server.Hub().Connections.Find(id) is null);
        using var late = await server.ChangeAsync(events.Key, ["b"]);
        late.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_ByAnotherUser_Is403()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a", ("X-User", "ann"));
        using var bob = await server.ChangeAsync(events.Key, ["b"], headers: ("X-User", "bob"));
        bob.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var nobody = await server.ChangeAsync(events.Key, ["b"]);
        nobody.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var ann = await server.ChangeAsync(events.Key, ["b"], headers: ("X-User", "ann"));
        ann.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_OneTopicIsRefused_NothingChanges()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics =>
        {
            topics.MaxTopicsPerSubscription = 3;
            topics.Topic("secret", topic => topic.AuthorizeSubscribe = static _ => ValueTask.FromResult(false));
        });
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        using var refused = await server.ChangeAsync(events.Key, ["b", "secret"], ["a"]);
        refused.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var tooMany = await server.ChangeAsync(events.Key, ["b", "c", "d"], ["a"]);
        tooMany.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        using var fits = await server.ChangeAsync(events.Key, []);
        (await fits.Content.ReadAsStringAsync(Until.Cancelled)).Should().Be("""{"topics":["a"]}""");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_AddedAfterACursor_BeginsThere()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        var cursor = await server.GetCursorAsync("?topic=b");
        await server.Hub().PublishAsync("b", "1");
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        using var response = await server.ChangeAsync(events.Key, ["b"], after: cursor);
        (await events.ReadAsync(1)).Should().Equal("b: 1");
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("nonsense")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"stream":"x","subscribe":[null]}""")]
    [InlineData("""{"stream":"x","subscribe":["a\u0000"]}""")]
    [InlineData("""{"stream":"x","subscribe":"a"}""")]
    public async Task Change_BodyIsMalformed_Is400(string body)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var response = await server.PostAsync("/live", body);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_BodyIsNotJson_Is415()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        using var response = await server.SendAsync(HttpMethod.Post, "/live", new StringContent("{}"));
        response.StatusCode.Should().Be(HttpStatusCode.UnsupportedMediaType);
        using var large = await server.PostAsync("/live", new string(' ', 70_000));
        large.StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Change_StreamIsOnAnotherNode_ReachesIt()
    {
        await using var store = new SharedStore();
        await using var first = await TopicsServer.StartAsync(Wire.Pipes, engine: store.AddNode(), topics: topics =>
            topics.Topic("secret", topic => topic.AuthorizeSubscribe = static _ => ValueTask.FromResult(false)));
        await using var second = await TopicsServer.StartAsync(Wire.Pipes, engine: store.AddNode());
        using var events = await TopicEvents.OpenAsync(first, "/live?topic=a", ("X-User", "ann"));
        using var changed = await second.ChangeAsync(events.Key, ["b"], ["a"], headers: ("X-User", "ann"));
        changed.StatusCode.Should().Be(HttpStatusCode.OK);
        (await changed.Content.ReadAsStringAsync(Until.Cancelled)).Should().Be("""{"topics":["b"]}""");
        await second.Hub().PublishAsync("b", "1");
        (await events.ReadAsync(1)).Should().Equal("b: 1");

        using var refused = await second.ChangeAsync(events.Key, ["secret"], headers: ("X-User", "ann"));
        refused.StatusCode.Should().Be(HttpStatusCode.Forbidden, "the node that has the stream decides");
        using var bob = await second.ChangeAsync(events.Key, ["c"], headers: ("X-User", "bob"));
        bob.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var unknown = await second.ChangeAsync($"{new string('A', 22)}.{new string('A', 22)}", ["c"]);
        unknown.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    /// <summary>A body whose length is not said beforehand.</summary>
    private sealed class Unsized(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
