using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.Topics.Tests.Endpoints;

/// <summary><c>json.reliable.webpubsub.azure.v1</c>: numbers, acknowledgements, and connections that outlive their sockets.</summary>
public sealed class WebPubSubRecoveryTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_SeveralTopics_AreNumberedFromOne()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a", "b"]);
        peer.Token.Should().HaveLength(22);
        await PublishAsync(kit, "a", "1");
        (await peer.ReadAsync()).Should().Be("""{"sequenceId":1,"type":"message","from":"group","group":"a","dataType":"text","data":"1"}""");
        await PublishAsync(kit, "b", "2");
        (await peer.ReadNumberedAsync()).Should().Be((2, "2"));
    }

    [Fact]
    public async Task Recover_Unacknowledged_ComesAgainUnderItsNumberAndThenWhatFollows()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable);
        await peer.JoinAsync("a", "b");
        for (var i = 1; i <= 4; i++)
        {
            await PublishAsync(kit, i % 2 == 0 ? "a" : "b", $"{i}");
            (await peer.ReadNumberedAsync()).Should().Be(((ulong)i, $"{i}"));
        }

        await peer.SendAsync("""{"type":"sequenceAck","sequenceId":2}""");
        await peer.SyncAsync();
        await peer.LoseAsync();
        await PublishAsync(kit, "a", "5");
        await PublishAsync(kit, "b", "6");

        var again = await kit.RecoverAsync(peer);
        await again.ReadConnectedAsync();
        (again.ConnectionId, again.Token).Should().Be((peer.ConnectionId, peer.Token));
        (await again.ReadNumberedAsync()).Should().Be((3, "3"));
        (await again.ReadNumberedAsync()).Should().Be((4, "4"));
        var rest = new[] { await again.ReadNumberedAsync(), await again.ReadNumberedAsync() };
        rest.Select(message => message.Number).Should().Equal(5, 6);
        rest.Select(message => message.Data).Should().BeEquivalentTo("5", "6");
        await PublishAsync(kit, "a", "7");
        (await again.ReadNumberedAsync()).Should().Be((7, "7"));
    }

    [Fact]
    public async Task Recover_AgainAndAgain_LosesNothing()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        for (var i = 1; i <= 5; i++)
        {
            await PublishAsync(kit, "a", $"{i}");
            await peer.LoseAsync();
            peer = await kit.RecoverAsync(peer);
            await peer.ReadConnectedAsync();
            for (var j = 1; j <= i; j++)
                (await peer.ReadNumberedAsync()).Should().Be(((ulong)j, $"{j}"), "nothing was acknowledged");
        }
    }

    [Fact]
    public async Task Recover_WhileTheSocketStillSeemsOpen_TakesOver()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        var again = await kit.RecoverAsync(peer);
        await again.ReadConnectedAsync();
        await peer.Served;
        await PublishAsync(kit, "a", "1");
        (await again.ReadNumberedAsync()).Should().Be((1, "1"));
        (await kit.Hub.Connections.ListAsync(TopicConnectionSelector.ById(peer.ConnectionId!), Cancelled)).Should().HaveCount(1);
    }

    [Fact]
    public async Task Recover_NoEcho_StaysExcluded()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        await peer.SendAsync("""{"type":"sendToGroup","group":"a","dataType":"text","data":"own","noEcho":true}""");
        await peer.SyncAsync();
        await PublishAsync(kit, "a", "1");
        await peer.LoseAsync();
        peer = await kit.RecoverAsync(peer);
        await peer.ReadConnectedAsync();
        (await peer.ReadNumberedAsync()).Data.Should().Be("1");
        await peer.SyncAsync();
    }

    [Fact]
    public async Task Recover_RequestSentAgain_IsDuplicate()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable);
        await peer.AskAsync("""{"type":"sendToGroup","group":"a","ackId":5,"data":1}""");
        await peer.LoseAsync();
        peer = await kit.RecoverAsync(peer);
        await peer.ReadConnectedAsync();
        (await peer.AskAsync("""{"type":"sendToGroup","group":"a","ackId":5,"data":1}""")).Should().Contain("\"Duplicate\"");
        (await kit.Hub.Engine.GetPositionAsync("a", Cancelled)).Offset.Should().Be(1);
    }

    [Fact]
    public async Task Recover_AnotherTokenIdOrUser_IsRefusedAndTakesNothing()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, "ann");
        (string Name, string Value) id = ("awps_connection_id", peer.ConnectionId!);
        (string Name, string Value) token = ("awps_reconnection_token", peer.Token!);
        foreach (var (user, query) in new (string User, (string, string)[] Query)[]
        {
            ("ann", [id, (token.Name, peer.Token![..^1] + "ä")]),
            ("ann", [id, (token.Name, "")]),
            ("ann", [id]),
            ("ann", [token]),
            ("ann", [(id.Name, "x"), token]),
            ("bob", [id, token]),
        })
        {
            var other = await kit.OpenAsync(kit.Reliable, user, null, query);
            (await other.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Contain("cannot be recovered");
        }

        await peer.SyncAsync();
        await peer.LoseAsync();
        await (await kit.RecoverAsync(peer, "ann")).ReadConnectedAsync();
    }

    [Fact]
    public async Task Recover_AfterTheWindow_IsRefused()
    {
        await using var kit = new WebPubSubKit();
        var first = await kit.ConnectAsync(kit.Reliable);
        var second = await kit.ConnectAsync(kit.Reliable);
        await first.LoseAsync();
        kit.Clock.Advance(TimeSpan.FromSeconds(59));
        await second.LoseAsync();
        kit.Clock.Advance(TimeSpan.FromSeconds(2));
        await (await kit.RecoverAsync(first)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation);
        await (await kit.RecoverAsync(second)).ReadConnectedAsync();
    }

    [Fact]
    public async Task Recover_BackInTime_IsNotGivenUpLater()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable);
        await peer.LoseAsync();
        var again = await kit.RecoverAsync(peer);
        await again.ReadConnectedAsync();
        kit.Clock.Advance(TimeSpan.FromSeconds(61));
        await again.LoseAsync();
        await (await kit.RecoverAsync(peer)).ReadConnectedAsync();
    }

    [Fact]
    public async Task Recover_TooManyLost_TheOldestIsGivenUp()
    {
        await using var kit = new WebPubSubKit(options: options => options.MaxRecoverableConnections = 2);
        var peers = new List<WebPubSubPeer>();
        for (var i = 0; i < 3; i++)
            peers.Add(await kit.ConnectAsync(kit.Reliable));
        foreach (var peer in peers)
            await peer.LoseAsync();
        await (await kit.RecoverAsync(peers[0])).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation);
        await (await kit.RecoverAsync(peers[1])).ReadConnectedAsync();
        await (await kit.RecoverAsync(peers[2])).ReadConnectedAsync();
    }

    [Fact]
    public async Task Recover_TurnedOff_ThereIsNoToken()
    {
        await using var kit = new WebPubSubKit(options: options => options.RecoveryWindow = TimeSpan.Zero);
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        peer.Token.Should().BeNull();
        await PublishAsync(kit, "a", "1");
        (await peer.ReadNumberedAsync()).Should().Be((1, "1"));
    }

    [Theory]
    [InlineData(true)]   // not sent yet
    [InlineData(false)]   // sent, and not acknowledged
    public async Task Recover_LeftTheHistory_IsToldAndEnds(bool whileAway)
    {
        await using var kit = new WebPubSubKit(topics => topics.Default.HistoryCount = 3);
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        if (!whileAway)
        {
            await PublishAsync(kit, "a", "0");
            await peer.ReadNumberedAsync();
        }

        await peer.LoseAsync();
        for (var i = 1; i <= (whileAway ? 4 : 3); i++)
            await PublishAsync(kit, "a", $"{i}");
        var again = await kit.RecoverAsync(peer);
        (await again.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().StartWith("Messages were lost");
        (await (await kit.RecoverAsync(peer)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Contain("cannot be recovered");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]   // left meanwhile: a message of it is unacknowledged
    public async Task Recover_RightWasTakenAway_IsToldAndEnds(bool hasLeft)
    {
        var may = true;
        var resumes = 0;
        await using var kit = new WebPubSubKit(topics => topics.Topic("secret", secret => secret.AuthorizeSubscribe = access =>
        {
            resumes += access.IsResume ? 1 : 0;
            return new ValueTask<bool>(may);
        }));
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["secret", "other"]);
        await PublishAsync(kit, "secret", "1");
        await peer.ReadNumberedAsync();
        if (hasLeft)
            await peer.AskAsync("""{"type":"leaveGroup","group":"secret","ackId":1}""");
        await peer.LoseAsync();
        may = false;
        (await (await kit.RecoverAsync(peer)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Contain("may not read");
        resumes.Should().Be(1);
        may = true;
        (await (await kit.RecoverAsync(peer)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation)).Should().Contain("cannot be recovered");
    }

    [Fact]
    public async Task Recover_EndedByEitherSidesRules_IsRefused()
    {
        await using var kit = new WebPubSubKit();
        var broken = await kit.ConnectAsync(kit.Reliable);
        await broken.SendAsync("{");
        await broken.ReadDisconnectedAsync(WebSocketCloseStatus.InvalidPayloadData);
        await (await kit.RecoverAsync(broken)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation);

        var ended = await kit.ConnectAsync(kit.Reliable);
        await kit.Hub.Connections.DisconnectAsync(TopicConnectionSelector.ById(ended.ConnectionId!), "go", Cancelled);
        await ended.ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation);
        await (await kit.RecoverAsync(ended)).ReadDisconnectedAsync(WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task SequenceAck_NeverSentOrOld_ChangesNothing()
    {
        await using var kit = new WebPubSubKit();
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        await PublishAsync(kit, "a", "1");
        await PublishAsync(kit, "a", "2");
        await peer.ReadNumberedAsync();
        await peer.ReadNumberedAsync();
        foreach (var number in (ulong[])[1, 0, 1, 3, ulong.MaxValue])
            await peer.SendAsync($$"""{"type":"sequenceAck","sequenceId":{{number}}}""");
        await peer.SyncAsync();
        await peer.LoseAsync();
        peer = await kit.RecoverAsync(peer);
        await peer.ReadConnectedAsync();
        (await peer.ReadNumberedAsync()).Should().Be((2, "2"));
    }

    [Fact]
    public async Task Delivery_NothingAcknowledged_WaitsAndGoesOn()
    {
        await using var kit = new WebPubSubKit(topics => topics.BatchCount = 1, options => options.MaxUnacknowledgedMessages = 3);
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        for (var i = 1; i <= 10; i++)
            await PublishAsync(kit, "a", $"{i}");
        for (var i = 1; i <= 3; i++)
            (await peer.ReadNumberedAsync()).Should().Be(((ulong)i, $"{i}"));
        await peer.SyncAsync();   // and no fourth
        for (var i = 4; i <= 10; i++)
        {
            await peer.SendAsync($$"""{"type":"sequenceAck","sequenceId":{{i - 1}}}""");
            (await peer.ReadNumberedAsync()).Should().Be(((ulong)i, $"{i}"));
            if (i + 1 <= 10 && i < 9)
            {
                // One was acknowledged after three were out: two more fit.
                (await peer.ReadNumberedAsync()).Should().Be(((ulong)i + 1, $"{i + 1}"));
                (await peer.ReadNumberedAsync()).Should().Be(((ulong)i + 2, $"{i + 2}"));
                i += 2;
            }
        }
    }

    [Fact]
    public async Task Delivery_WaitingForAcknowledgement_CanBeLostAndRecovered()
    {
        await using var kit = new WebPubSubKit(topics => topics.BatchCount = 1, options => options.MaxUnacknowledgedMessages = 2);
        var peer = await kit.ConnectAsync(kit.Reliable, topics: ["a"]);
        for (var i = 1; i <= 3; i++)
            await PublishAsync(kit, "a", $"{i}");
        await peer.ReadNumberedAsync();
        await peer.ReadNumberedAsync();
        await peer.LoseAsync();
        peer = await kit.RecoverAsync(peer);
        await peer.ReadConnectedAsync();
        (await peer.ReadNumberedAsync()).Should().Be((1, "1"));
        (await peer.ReadNumberedAsync()).Should().Be((2, "2"));
        await peer.SendAsync("""{"type":"sequenceAck","sequenceId":2}""");
        (await peer.ReadNumberedAsync()).Should().Be((3, "3"));
    }

    [Fact]
    public async Task Recover_RandomLossesWhileManyPublish_NothingIsLostOrTwice()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        await using var kit = new WebPubSubKit(topics => topics.Default.HistoryCount = 100_000);
        string[] topics = ["a", "b", "c"];
        var peer = await kit.ConnectAsync(kit.Reliable, topics: topics);
        using var enough = new CancellationTokenSource();
        var last = 0UL;
        var published = topics.ToDictionary(topic => topic, _ => 0);
        var publisher = Task.Run(async () =>
        {
            var choice = new Random(seed + 1);
            var count = 0UL;
            while (!enough.IsCancellationRequested)
            {
                // Not so far ahead that more is left at the end than may be unacknowledged: the client acknowledges nothing then.
                if (count > Volatile.Read(ref last) + 4000)
                {
                    await Task.Delay(1, CancellationToken.None);
                    continue;
                }

                var topic = topics[choice.Next(topics.Length)];
                await PublishAsync(kit, topic, $"{topic}{++published[topic]}");
                count++;
                if (choice.Next(20) == 0)
                    await Task.Delay(1, CancellationToken.None);
            }
        }, CancellationToken.None);

        var seen = topics.ToDictionary(topic => topic, _ => 0);
        var repeated = 0;
        for (var i = 0; i < 40; i++)
        {
            for (var left = random.Next(60); left > 0; left--)
                await SeeAsync();
            if (random.Next(2) == 0 && last > 0)
                await peer.SendAsync($$"""{"type":"sequenceAck","sequenceId":{{last}}}""");
            if (random.Next(2) == 0)
                await peer.LoseAsync();
            peer = await kit.RecoverAsync(peer);   // or while the server still takes the other for open
            await peer.ReadConnectedAsync();
        }

        await enough.CancelAsync();
        await publisher;
        while (seen.Any(pair => pair.Value < published[pair.Key]))
            await SeeAsync();
        repeated.Should().BeGreaterThan(0, "seed {0}: something was sent again", seed);

        async Task SeeAsync()
        {
            var (number, data) = await peer.ReadNumberedAsync();
            if (number <= last)
            {
                repeated++;   // as clients do
                return;
            }

            number.Should().Be(last + 1, "seed {0}", seed);
            last = number;
            data.Should().Be($"{data[0]}{++seen[data[..1]]}", "seed {0}", seed);
        }
    }

    private static async Task PublishAsync(WebPubSubKit kit, string topic, string text) =>
        await kit.Hub.PublishAsync(topic, Encoding.UTF8.GetBytes(text), cancellationToken: Cancelled);
}
