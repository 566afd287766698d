using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using RealtimeKit.Topics;
using RealtimeKit.Topics.Tests;

namespace RealtimeKit.Redis.Tests.Cluster;

/// <summary>The connection registry and presence of hubs on two nodes.</summary>
public sealed class PresenceTests
{
    // As short as it can be, for what expires or is renewed.
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_OfAnotherNode_AreFoundSentToAndDisconnected()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = CreateHub(server);
        await using var there = CreateHub(server);
        await server.ListenersAsync("test:nodes", 2);
        await there.Connections.SendAsync(TopicConnectionSelector.ById("nobody"), default, WebSocketMessageType.Text, Token);   // waits until it can take commands itself
        var ann = new Connection("c1", "ann");
        var bob = new Connection("c2", "bob");
        await using var first = await there.Connections.AddAsync(ann, Token);
        await using var second = await there.Connections.AddAsync(bob, Token);
        await using var subscription = await there.SubscribeAsync(
            new RecordingSubscriber(), ["room"], options: new TopicSubscribeOptions { ConnectionId = "c2" }, cancellationToken: Token);

        (await here.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Token))
            .Should().Equal(new TopicConnectionInfo("c1", "ann", there.Engine.Cluster.NodeId));
        (await here.Connections.ListAsync(TopicConnectionSelector.ByTopic("room"), Token)).Should().ContainSingle().Which.ConnectionId.Should().Be("c2");
        await here.Connections.SendAsync(TopicConnectionSelector.ByUser("ann"), "hello ann"u8.ToArray(), WebSocketMessageType.Text, Token);
        await here.Connections.SendAsync(TopicConnectionSelector.ByTopic("room"), "hello room"u8.ToArray(), WebSocketMessageType.Text, Token);
        await here.Connections.DisconnectAsync(TopicConnectionSelector.ById("c2"), "bye", Token);
        await Eventually.TrueAsync(() => ann.Log.Count == 1 && bob.Log.Count == 2);

        ann.Log.Should().Equal("hello ann");
        bob.Log.Should().BeEquivalentTo("hello room", "disconnected: bye");
        await first.DisposeAsync();
        (await here.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Token)).Should().BeEmpty();
    }

    [Fact]
    public async Task Presence_JoinsAndLeavesOnOneNode_AreToldOnTheOther()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = CreateHub(server);
        await using var there = CreateHub(server);
        var watcher = new RecordingSubscriber();
        await using var watching = await here.SubscribeAsync(watcher, [TopicPresence.GetTopic("room")], cancellationToken: Token);
        var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ann")], "test"));

        var subscription = await there.SubscribeAsync(
            new RecordingSubscriber(), ["room"], options: new TopicSubscribeOptions { ConnectionId = "c1", User = user }, cancellationToken: Token);
        (await here.Presence.ListAsync("room", Token)).Should().Equal(new TopicConnectionInfo("c1", "ann", there.Engine.Cluster.NodeId));
        await subscription.DisposeAsync();

        await Eventually.TrueAsync(() => watcher.Texts.Length == 2);
        watcher.Texts.Should().Equal("""{"event":"join","connection":"c1","user":"ann"}""", """{"event":"leave","connection":"c1","user":"ann"}""");
        (await here.Presence.ListAsync("room", Token)).Should().BeEmpty();
    }

    [Fact]
    public async Task Presence_OfANodeThatIsGone_ExpiresAndThatOfOneThatLivesDoesNot()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = CreateHub(server, Short);
        var gone = CreateHub(server, Short);
        await here.Connections.AddAsync(new Connection("alive", "ann"), Token);
        await gone.Connections.AddAsync(new Connection("dead", "ann"), Token);
        await Eventually.TrueAsync(async () => (await here.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Token)).Count == 2);

        await gone.DisposeAsync();   // says nothing of its connections, as one that was killed

        // A node that is held up for so long expires too, until its next renewal.
        await Eventually.TrueAsync(async () => (await here.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Token)) is [{ ConnectionId: "alive" }]);
    }

    [Fact]
    public async Task Presence_AfterRedisWasFlushed_ComesBackWithTheNextRenewal()
    {
        await using var server = await RedisServer.StartAsync();
        await using var here = CreateHub(server, Short);
        await here.Connections.AddAsync(new Connection("c1", "ann"), Token);

        await server.ExecuteAsync("FLUSHALL");

        await Eventually.TrueAsync(async () => (await here.Connections.ListAsync(TopicConnectionSelector.ByUser("ann"), Token)).Count == 1);
    }

    private static TopicHub CreateHub(RedisServer server, TimeSpan? lifetime = null)
    {
        var topics = new TopicsOptions();
        if (lifetime is { } presence)
            topics.PresenceLifetime = presence;
        topics.Topic("room", static topic => topic.Presence = true);
        return new TopicHub(
            new RedisTopicEngine(new RedisTopicOptions { Configuration = RedisTopicOptions.CreateConfiguration(server.ConnectionString), KeyPrefix = "test" }, topics), topics);
    }

    private sealed class Connection(string id, string user) : ITopicConnection
    {
        public ConcurrentQueue<string> Log { get; } = new();

        public string Id => id;

        public string? UserId => user;

        public ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken)
        {
            Log.Enqueue(Encoding.UTF8.GetString(payload.Span));
            return default;
        }

        public ValueTask DisconnectAsync(string? reason, CancellationToken cancellationToken)
        {
            Log.Enqueue($"disconnected: {reason}");
            return default;
        }
    }
}
