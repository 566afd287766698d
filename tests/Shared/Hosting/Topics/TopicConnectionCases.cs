using System.Net.WebSockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class TopicConnectionCases
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Registry_OpenConnections_AreListedSentToAndDisconnected(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire);
        var connections = server.Hub().Connections;
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a", ("X-User", "ann"));
        using var socket = await server.ConnectAsync("/live?topic=a", options => options.SetRequestHeader("X-User", "ann"));
        using var other = await server.ConnectAsync("/live?topic=b", options => options.SetRequestHeader("X-User", "bob"));
        (await connections.ListAsync(TopicConnectionSelector.ByUser("ann"))).Should().HaveCount(2);
        (await connections.ListAsync(TopicConnectionSelector.ByTopic("b"))).Should().ContainSingle().Which.UserId.Should().Be("bob");

        await connections.SendAsync(TopicConnectionSelector.ByTopic("a"), Encoding.UTF8.GetBytes("for you"), WebSocketMessageType.Text);
        (await events.ReadAsync(1)).Should().Equal("message: for you");
        (await socket.ReceiveTextAsync()).Should().Be("for you");

        await connections.DisconnectAsync(TopicConnectionSelector.ByUser("ann"), "signed out");
        (await events.ReadAsync())!.ToString().Should().Be("""disconnected: {"reason":"signed out"}""");
        (await events.ReadAsync()).Should().BeNull();
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
        socket.CloseStatusDescription.Should().Be("signed out");
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        await Until.TrueAsync(() => connections.ListAsync(TopicConnectionSelector.ByUser("ann")).AsTask().Result.Count == 0);
        (await connections.ListAsync(TopicConnectionSelector.ByTopic("a"))).Should().BeEmpty();

        await server.Hub().PublishAsync("b", "still here");
        (await other.ReceiveTextAsync()).Should().Be("still here");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Registry_ConnectionIsOnAnotherNode_IsFoundSentToAndDisconnected()
    {
        await using var store = new SharedStore();
        await using var first = await TopicsServer.StartAsync(Wire.Pipes, engine: store.AddNode());
        await using var second = await TopicsServer.StartAsync(Wire.Pipes, engine: store.AddNode());
        using var socket = await first.ConnectAsync("/live?topic=a", options => options.SetRequestHeader("X-User", "ann"));
        var connections = second.Hub().Connections;
        (await connections.ListAsync(TopicConnectionSelector.ByUser("ann"))).Should().ContainSingle().Which.NodeId.Should().Be(first.Hub().Engine.Cluster.NodeId);
        await connections.SendAsync(TopicConnectionSelector.ByTopic("a"), Encoding.UTF8.GetBytes("for you"), WebSocketMessageType.Text);
        (await socket.ReceiveTextAsync()).Should().Be("for you");
        await second.Hub().PublishAsync("a", "from afar");
        (await socket.ReceiveTextAsync()).Should().Be("from afar");
        await connections.DisconnectAsync(TopicConnectionSelector.ByUser("ann"));
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stop_OpenConnections_AreSent1001OrARetryAfterWhatWasDelivered(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, endpoint: options =>
            options.ServerSentEvents = new ServerSentEventEndpointOptions { ShutdownSpread = TimeSpan.FromSeconds(20) });
        using var stream = await EventStream.OpenAsync(server, "/live?topic=a", ("Accept", "text/event-stream"));
        (await stream.ReadAsync()).Should().Be(": open");
        using var socket = await server.ConnectAsync("/live?topic=a");
        await server.Hub().PublishAsync("a", "last words");
        (await socket.ReceiveTextAsync()).Should().Be("last words");
        while (!(await stream.ReadAsync())!.EndsWith("data: last words", StringComparison.Ordinal))
        {
        }

        var stop = server.App.StopAsync(Until.Cancelled);
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        var blocks = await stream.ReadToEndAsync();
        blocks[^1].Should().StartWith("retry: ");
        await stop;
    }

    [Fact(Timeout = Until.Bound)]
    public async Task TooSlow_TopicDisconnects_ClosesWith4290AndTheCursorThatResumes()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics =>
        {
            topics.Default.SlowConsumers = SlowConsumerPolicy.Disconnect;
            topics.Default.MaxLag = 4;
            topics.BatchCount = 1;
        });
        using var socket = await server.ConnectAsync("/live?topic=a");
        var payload = new string('x', 1_000_000);
        var count = 0;
        string? cursor = null;

        // Unread, it fills the buffers between, and falls behind.
        while ((await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a"))).Count > 0 && count < 100)
            await server.Hub().PublishAsync("a", $"{count++} {payload}");
        var received = 0;
        while (cursor is null)
        {
            var message = await socket.ReceiveMessageAsync();
            if (message.Type == WebSocketMessageType.Close)
                cursor = socket.CloseStatusDescription!;
            else
                Encoding.UTF8.GetString(message.Payload).Should().StartWith($"{received++} ");
        }

        ((int)socket.CloseStatus!).Should().Be(4290);
        received.Should().BeLessThan(count);
        TopicCursor.TryParse(cursor, out var parsed).Should().BeTrue();
        parsed[0].Value.Offset.Should().Be((ulong)received, "that is where it goes on");
    }
}
