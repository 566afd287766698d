using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics.Tests;

public sealed class WebSocketTopicConnectionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Add_WebSocket_IsPresentAndSentToUntilItIsTakenOut()
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("room", room => room.Presence = true));
        var events = new RecordingSubscriber();
        await using var watching = await hub.SubscribeAsync(events, [TopicPresence.GetTopic("room")], cancellationToken: Cancel);
        var (client, server) = WebSocketConnection.CreatePair();

        var member = await hub.Connections.AddAsync(server, "ada", Cancel);
        var subscription = await hub.SubscribeAsync(
            new WebSocketTopicSubscriber(server), ["room"], options: new TopicSubscribeOptions { ConnectionId = member.Id }, cancellationToken: Cancel);
        (await hub.Presence.ListAsync("room", Cancel)).Should().ContainSingle().Which.Should().Be(new TopicConnectionInfo(member.Id, "ada", hub.Engine.Cluster.NodeId));
        hub.Connections.Find(member.Id).Should().BeSameAs(member);
        await hub.Connections.SendAsync(TopicConnectionSelector.ByUser("ada"), "to you"u8.ToArray(), WebSocketMessageType.Text, Cancel);
        (await client.ReceiveAsync(Cancel)).GetText().Should().Be("to you");
        await hub.PublishAsync("room", "to all", cancellationToken: Cancel);
        (await client.ReceiveAsync(Cancel)).GetText().Should().Be("to all");

        await subscription.DisposeAsync();
        await member.DisposeAsync();
        await member.DisposeAsync();
        (await hub.Presence.ListAsync("room", Cancel)).Should().BeEmpty();
        hub.Connections.Find(member.Id).Should().BeNull();
        await Until.True(() => events.Entries.Length == 2);
        server.State.Should().Be(WebSocketState.Open, "it stays the caller's");
        client.Abort();
        await server.DisposeAsync();
    }

    // RFC 6455 §5.5: a Close frame holds 123 bytes of reason.
    [Theory]
    [InlineData("enough", "enough")]
    [InlineData(null, null)]
    [InlineData("*", "123")]
    public async Task Disconnect_WebSocket_IsClosedWith1008AndTheReason(string? reason, string? expected)
    {
        await using var hub = new TopicHub();
        var (client, server) = WebSocketConnection.CreatePair();
        await using var member = await hub.Connections.AddAsync(server, cancellationToken: Cancel);
        if (reason == "*")
            (reason, expected) = (new string('x', 200), new string('x', 123));

        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ById(member.Id), reason, Cancel);

        (await client.ReceiveAsync(Cancel)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.PolicyViolation, expected, WebSocketCloseInitiator.Remote, true));
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Ids_OfSeveral_Differ()
    {
        await using var hub = new TopicHub();
        var (client, server) = WebSocketConnection.CreatePair();
        await using var first = await hub.Connections.AddAsync(server, "ada", Cancel);
        await using var second = await hub.Connections.AddAsync(client, "ada", Cancel);
        first.Id.Should().NotBe(second.Id).And.HaveLength(22);
        (await hub.Connections.ListAsync(TopicConnectionSelector.ByUser("ada"), Cancel)).Should().HaveCount(2);
        client.Abort();
        server.Abort();
    }
}
