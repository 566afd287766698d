using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.Topics.Tests;

public sealed class TopicConnectionsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<bool> Clusters => [false, true];

    private static (TopicHub First, TopicHub Second) CreateNodes(bool isCluster, TopicsOptions? options = null)
    {
        options ??= new TopicsOptions();
        options.Topic("room", topic => topic.Presence = true);
        if (!isCluster)
        {
            var hub = new TopicHub(options: options);
            return (hub, hub);
        }

        var store = new TwoNodeStore(options);
        return (new TopicHub(store.CreateEngine(), options), new TopicHub(store.CreateEngine(), options));
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Send_ByIdUserAndTopic_ReachesThoseOnEveryNode(bool isCluster)
    {
        var (first, second) = CreateNodes(isCluster);
        var a = new Connection("a", "ada");
        var b = new Connection("b", "ada");
        var c = new Connection("c", null);
        await using var one = await first.Connections.AddAsync(a, Cancel);
        await using var two = await second.Connections.AddAsync(b, Cancel);
        await using var three = await second.Connections.AddAsync(c, Cancel);
        await using var subscription = await first.SubscribeAsync(new RecordingSubscriber(), ["t"], null, new TopicSubscribeOptions { ConnectionId = "a" }, Cancel);
        await using var other = await second.SubscribeAsync(new RecordingSubscriber(), ["t"], null, new TopicSubscribeOptions { ConnectionId = "c" }, Cancel);

        await first.Connections.SendAsync(TopicConnectionSelector.ById("c"), "1"u8.ToArray(), WebSocketMessageType.Text, Cancel);
        await first.Connections.SendAsync(TopicConnectionSelector.ByUser("ada"), "2"u8.ToArray(), WebSocketMessageType.Binary, Cancel);
        await second.Connections.SendAsync(TopicConnectionSelector.ByTopic("t"), "3"u8.ToArray(), WebSocketMessageType.Text, Cancel);
        await first.Connections.DisconnectAsync(TopicConnectionSelector.ByUser("ada"), "bye", Cancel);
        await first.Connections.DisconnectAsync(TopicConnectionSelector.ById("c"), cancellationToken: Cancel);

        await Until.True(() => a.Received.Count == 3 && b.Received.Count == 2 && c.Received.Count == 3);
        a.Received.Should().BeEquivalentTo("Binary 2", "Text 3", "disconnect bye");
        b.Received.Should().BeEquivalentTo("Binary 2", "disconnect bye");
        c.Received.Should().BeEquivalentTo("Text 1", "Text 3", "disconnect ");
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task List_ConnectionsOfEveryNode_ComeAndGo(bool isCluster)
    {
        var (first, second) = CreateNodes(isCluster);
        var one = await first.Connections.AddAsync(new Connection("a", "ada"), Cancel);
        await using var two = await second.Connections.AddAsync(new Connection("b", "ada"), Cancel);
        var subscription = await second.SubscribeAsync(new RecordingSubscriber(), ["t"], null, new TopicSubscribeOptions { ConnectionId = "b" }, Cancel);

        var users = await first.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel);
        users.OrderBy(info => info.ConnectionId).Select(info => (info.ConnectionId, info.UserId, info.NodeId)).Should().Equal(
            ("a", "ada", first.Engine.Cluster.NodeId), ("b", "ada", second.Engine.Cluster.NodeId));
        (await first.Connections.ListAsync(TopicConnectionSelector.ByTopic("t"), Cancel)).Select(info => info.ConnectionId).Should().Equal("b");
        first.Connections.Find("a").Should().NotBeNull();

        await subscription.DisposeAsync();
        await one.DisposeAsync();
        (await first.Connections.ListAsync(TopicConnectionSelector.ByTopic("t"), Cancel)).Should().BeEmpty();
        (await second.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel)).Select(info => info.ConnectionId).Should().Equal("b");
        (await second.Connections.ListAsync(TopicConnectionSelector.ById("a"), Cancel)).Should().BeEmpty();
        first.Connections.Find("a").Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Presence_JoinsAndLeaves_ArePublishedAndListed(bool isCluster)
    {
        var (first, second) = CreateNodes(isCluster);
        var watcher = new RecordingSubscriber();
        await using var watching = await second.SubscribeAsync(watcher, [TopicPresence.GetTopic("room")], cancellationToken: Cancel);
        var ada = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ada")], "test"));
        var options = new TopicSubscribeOptions { ConnectionId = "c1", User = ada };

        var subscription = await first.SubscribeAsync(new RecordingSubscriber(), ["room"], null, options, Cancel);
        var second1 = await first.SubscribeAsync(new RecordingSubscriber(), ["room"], null, options, Cancel);
        (await second.Presence.ListAsync("room", Cancel)).Should().Equal(new TopicConnectionInfo("c1", "ada", first.Engine.Cluster.NodeId));
        await second1.DisposeAsync();
        await subscription.RemoveAsync("room");

        await Until.True(() => watcher.Entries.Length == 2);
        watcher.Texts.Should().Equal(
            """{"event":"join","connection":"c1","user":"ada"}""", """{"event":"leave","connection":"c1","user":"ada"}""");
        (await second.Presence.ListAsync("room", Cancel)).Should().BeEmpty();
    }

    [Fact]
    public async Task List_NodeThatDied_ExpiresWhileOthersAreRenewed()
    {
        var clock = new FakeTimeProvider();
        var options = new TopicsOptions { TimeProvider = clock };
        var (first, second) = CreateNodes(isCluster: true, options);
        await first.Connections.AddAsync(new Connection("a", "ada"), Cancel);
        await second.Connections.AddAsync(new Connection("b", "ada"), Cancel);

        first.Connections.Dispose();   // its node renews nothing any more
        for (var i = 0; i < 8; i++)
            clock.Advance(TimeSpan.FromSeconds(10));

        (await second.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel)).Select(info => info.ConnectionId).Should().Equal("b");
    }

    [Fact]
    public async Task Add_IdTwice_IsRefused()
    {
        await using var hub = new TopicHub();
        await using var one = await hub.Connections.AddAsync(new Connection("a", null), Cancel);

        await hub.Awaiting(hub => hub.Connections.AddAsync(new Connection("a", null)).AsTask()).Should().ThrowAsync<ArgumentException>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Add_CancelledWhileTheOthersAreTold_LeavesNothing(bool isCancelledBefore)
    {
        var clock = new FakeTimeProvider();
        var options = new TopicsOptions { TimeProvider = clock };
        var engine = new StagedEngine(options);
        await using var hub = new TopicHub(engine, options);
        var calls = 0;
        engine.Setting = cancelled =>
        {
            calls++;
            return Task.Delay(Timeout.Infinite, cancelled);
        };
        using var abort = new CancellationTokenSource();
        if (isCancelledBefore)
            await abort.CancelAsync();

        var adding = hub.Connections.AddAsync(new Connection("a", "ada"), abort.Token);
        await abort.CancelAsync();

        await adding.Awaiting(adding => adding.AsTask()).Should().ThrowAsync<OperationCanceledException>();
        hub.Connections.Find("a").Should().BeNull();
        clock.Advance(options.PresenceLifetime);
        calls.Should().Be(1, "there is nothing to renew");
        engine.Setting = null;
        await using var again = await hub.Connections.AddAsync(new Connection("a", "ada"), Cancel);
        (await hub.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel)).Should().ContainSingle();
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Send_ConnectionThatDoesNotRead_HoldsUpNobody(bool isCluster)
    {
        var (first, second) = CreateNodes(isCluster);
        var a = new Connection("a", null) { Sending = static cancelled => Task.Delay(Timeout.Infinite, cancelled) };
        var b = new Connection("b", null);
        await using var one = await second.Connections.AddAsync(a, Cancel);
        await using var two = await second.Connections.AddAsync(b, Cancel);

        await first.Connections.SendAsync(TopicConnectionSelector.ById("a"), "1"u8.ToArray(), WebSocketMessageType.Text, Cancel).AsTask().WaitAsync(Until.Bound, Cancel);
        await first.Connections.DisconnectAsync(TopicConnectionSelector.ById("b"), "bye", Cancel).AsTask().WaitAsync(Until.Bound, Cancel);

        await Until.True(() => b.Received.Count == 1);
        b.Received.Should().Equal("disconnect bye");
        a.Received.Should().BeEmpty();
    }

    [Fact]
    public async Task Send_MoreThanTheConnectionTakesAtOnce_KeepsTheOrder()
    {
        await using var hub = new TopicHub();
        var a = new Connection("a", null) { Sending = static async _ => await Task.Yield() };
        await using var one = await hub.Connections.AddAsync(a, Cancel);

        for (var i = 0; i < 1000; i++)
            await hub.Connections.SendAsync(TopicConnectionSelector.ById("a"), Encoding.UTF8.GetBytes($"{i}"), WebSocketMessageType.Text, Cancel);
        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ById("a"), "bye", Cancel);

        await Until.True(() => a.Received.Count == 1001);
        a.Received.Should().Equal([.. Enumerable.Range(0, 1000).Select(i => $"Text {i}"), "disconnect bye"]);
    }

    [Theory]
    [InlineData(1 << 20, 10)]
    [InlineData(150_000, 1)]
    public async Task Send_MoreThanMayWait_DisconnectsThatConnectionOnly(int limit, int waiting)
    {
        await using var hub = new TopicHub(options: new TopicsOptions { MaxQueuedBytesPerConnection = limit });
        var isSending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var a = new Connection("a", "ada")
        {
            Sending = cancelled =>
            {
                isSending.TrySetResult();
                return Task.Delay(Timeout.Infinite, cancelled);
            },
        };
        var b = new Connection("b", "ada");
        await using var one = await hub.Connections.AddAsync(a, Cancel);
        await using var two = await hub.Connections.AddAsync(b, Cancel);

        // One that is under way, those that may wait, and one more.
        for (var i = 1; i <= waiting + 2; i++)
        {
            a.Received.Should().BeEmpty();
            await hub.Connections.SendAsync(TopicConnectionSelector.ByUser("ada"), new byte[100_000], WebSocketMessageType.Binary, Cancel);
            await Until.True(() => b.Received.Count == i);
            await isSending.Task.WaitAsync(Cancel);
        }

        await Until.True(() => !a.Received.IsEmpty);
        a.Received.Should().Equal("disconnect It does not read what it is sent.");
        b.Received.Should().HaveCount(waiting + 2).And.NotContain(received => received.StartsWith("disconnect"));
    }

    [Fact]
    public async Task Disconnect_SendPends_ComesAfterItOrAfterFiveSeconds()
    {
        var clock = new FakeTimeProvider();
        await using var hub = new TopicHub(options: new TopicsOptions { TimeProvider = clock });
        var isSending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var a = new Connection("a", null)
        {
            Sending = cancelled =>
            {
                isSending.TrySetResult();
                return Task.Delay(Timeout.Infinite, cancelled);
            },
        };
        await using var one = await hub.Connections.AddAsync(a, Cancel);
        await hub.Connections.SendAsync(TopicConnectionSelector.ById("a"), "1"u8.ToArray(), WebSocketMessageType.Text, Cancel);
        await isSending.Task.WaitAsync(Until.Bound, Cancel);

        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ById("a"), "bye", Cancel);
        a.Received.Should().BeEmpty();
        clock.Advance(TimeSpan.FromSeconds(5));

        await Until.True(() => !a.Received.IsEmpty);
        a.Received.Should().Equal("disconnect bye");
    }

    [Fact]
    public async Task Renew_ConnectionGoesWhileItIsSet_IsRetractedAgain()
    {
        var clock = new FakeTimeProvider();
        var options = new TopicsOptions { TimeProvider = clock };
        var engine = new StagedEngine(options);
        await using var hub = new TopicHub(engine, options);
        var one = await hub.Connections.AddAsync(new Connection("a", "ada"), Cancel);
        await using var other = await hub.Connections.AddAsync(new Connection("b", "ada"), Cancel);
        var subscription = await hub.SubscribeAsync(new RecordingSubscriber(), ["t"], null, new TopicSubscribeOptions { ConnectionId = "a" }, Cancel);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isSetting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Setting = _ =>
        {
            isSetting.TrySetResult();
            return goesOn.Task;
        };

        clock.Advance(options.PresenceLifetime / 3);
        await isSetting.Task.WaitAsync(Until.Bound, Cancel);
        await subscription.DisposeAsync();
        await one.DisposeAsync();
        goesOn.SetResult();

        await Until.True(() => engine.Removals == 6);   // three of them once more, after they were set
        (await hub.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel)).Select(info => info.ConnectionId).Should().Equal("b");
        (await hub.Connections.ListAsync(TopicConnectionSelector.ById("a"), Cancel)).Should().BeEmpty();
        (await hub.Connections.ListAsync(TopicConnectionSelector.ByTopic("t"), Cancel)).Should().BeEmpty();
    }

    [Fact]
    public async Task Presence_UserWithTheClaimSubOnly_IsNamed()
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("room", topic => topic.Presence = true));
        var ada = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ada"), new Claim(ClaimTypes.Name, "Ada L.")], "test"));

        await using var subscription = await hub.SubscribeAsync(
            new RecordingSubscriber(), ["room"], null, new TopicSubscribeOptions { ConnectionId = "a", User = ada }, Cancel);

        (await hub.Presence.ListAsync("room", Cancel)).Should().ContainSingle().Which.UserId.Should().Be("ada");
    }

    [Fact]
    public async Task Presence_TopicIsRemovedWhileItsJoinIsTold_EndsWithALeave()
    {
        var options = new TopicsOptions().Topic("room", topic => topic.Presence = true);
        var engine = new StagedEngine(options);
        await using var hub = new TopicHub(engine, options);
        var watcher = new RecordingSubscriber();
        await using var watching = await hub.SubscribeAsync(watcher, [TopicPresence.GetTopic("room")], cancellationToken: Cancel);
        await using var subscription = await hub.SubscribeAsync(new RecordingSubscriber(), [], null, new TopicSubscribeOptions { ConnectionId = "a" }, Cancel);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Setting = _ => goesOn.Task;

        var adding = subscription.AddAsync("room", null, Cancel);
        (await subscription.RemoveAsync("room")).Should().BeTrue();
        goesOn.SetResult();
        await adding;
        await hub.PublishAsync(TopicPresence.GetTopic("room"), "the last", cancellationToken: Cancel);

        await Until.True(() => watcher.Texts.Contains("the last"));
        watcher.Texts[^2].Should().Be("""{"event":"leave","connection":"a"}""");
        (await hub.Presence.ListAsync("room", Cancel)).Should().BeEmpty();
    }

    [Fact]
    public async Task Add_WhileAnotherThreadRemovesIt_LeavesNobody()
    {
        await using var hub = new TopicHub();
        await using var connection = await hub.Connections.AddAsync(new Connection("a", null), Cancel);
        await using var subscription = await hub.SubscribeAsync(new RecordingSubscriber(), [], null, new TopicSubscribeOptions { ConnectionId = "a" }, Cancel);
        for (var i = 0; i < 20_000; i++)
        {
            var removing = Task.Run(
                async () =>
                {
                    while (!await subscription.RemoveAsync("t"))
                        Thread.SpinWait(1);
                },
                Cancel);
            await subscription.AddAsync("t", null, Cancel);
            await removing;
            (await hub.Connections.ListAsync(TopicConnectionSelector.ByTopic("t"), Cancel)).Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Join_TopicWasLeftAlready_ListsNobody()
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("room", topic => topic.Presence = true));
        await using var subscription = await hub.SubscribeAsync(new RecordingSubscriber(), [], null, new TopicSubscribeOptions { ConnectionId = "a" }, Cancel);
        var slot = new TopicSlot(await hub.Engine.AttachAsync("room", Cancel), subscription, default);

        await hub.LeaveAsync(slot);
        await hub.JoinAsync(slot);

        (await hub.Presence.ListAsync("room", Cancel)).Should().BeEmpty();
    }

    [Fact]
    public void TryDecode_EveryTruncationAndRandomBytes_NeverThrows()
    {
        var whole = new ConnectionCommand(true, TopicConnectionSelector.ByUser("ada"), WebSocketMessageType.Binary, "bye"u8.ToArray()).Encode();
        for (var length = 0; length < whole.Length - 3; length++)
            ConnectionCommand.TryDecode(whole.AsMemory(0, length), out _).Should().BeFalse();
        ConnectionCommand.TryDecode(whole, out var command).Should().BeTrue();
        (command.IsDisconnect, command.Selector, command.MessageType, command.Payload.Length).Should().Be((true, TopicConnectionSelector.ByUser("ada"), WebSocketMessageType.Binary, 3));
        var random = new Random(5);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = new byte[random.Next(0, 40)];
            random.NextBytes(bytes);
            if (bytes.Length > 3)
                (bytes[0], bytes[1], bytes[2], bytes[3]) = (1, (byte)'s', (byte)'u', 0);
            ConnectionCommand.TryDecode(bytes, out _);
        }
    }

    private sealed class Connection(string id, string? user) : ITopicConnection
    {
        public ConcurrentQueue<string> Received { get; } = [];

        public string Id => id;

        public string? UserId => user;

        /// <summary>Runs before a message is received.</summary>
        public Func<CancellationToken, Task>? Sending { get; init; }

        public async ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken)
        {
            await (Sending?.Invoke(cancellationToken) ?? Task.CompletedTask);
            Received.Enqueue($"{messageType} {Encoding.UTF8.GetString(payload.Span)}");
        }

        public ValueTask DisconnectAsync(string? reason, CancellationToken cancellationToken)
        {
            Received.Enqueue($"disconnect {reason}");
            return default;
        }
    }
}
