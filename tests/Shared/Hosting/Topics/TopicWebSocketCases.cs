using System.Net.WebSockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

public class TopicWebSocketCases
{
    public static TheoryData<Wire> AllWires => Wires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Subscribe_PublishedOnceOpen_ArrivesAsTextIffUtf8(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire);
        await server.Hub().PublishAsync("a", "before");
        using var socket = await server.ConnectAsync("/live?topic=a&topic=b");
        await server.Hub().PublishAsync("a", "ä");
        (await socket.ReceiveTextAsync()).Should().Be("ä");
        await server.Hub().PublishAsync("b", new byte[] { 0xFF, 1 });
        var (type, payload) = await socket.ReceiveMessageAsync();
        type.Should().Be(WebSocketMessageType.Binary);
        payload.Should().Equal(0xFF, 1);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Subscribe_ManySubscribers_EachGetsEverythingInOrder()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes);
        var sockets = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => server.ConnectAsync("/live?topic=a")));
        for (var i = 0; i < 50; i++)
            await server.Hub().PublishAsync("a", $"{i}");
        await Task.WhenAll(sockets.Select(async socket =>
        {
            for (var i = 0; i < 50; i++)
                (await socket.ReceiveTextAsync()).Should().Be($"{i}");
            socket.Dispose();
        }));
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a")).AsTask().Result.Count == 0);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task After_Cursor_ContinuesThere(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire);
        await server.Hub().PublishAsync("a", "0");
        var cursor = await server.GetCursorAsync("?topic=a&topic=b");
        await server.Hub().PublishAsync("b", "1");
        await server.Hub().PublishAsync("a", "2");
        await server.Hub().PublishAsync("a", "3");
        using var named = await server.ConnectAsync($"/live?topic=a&after={cursor}");
        (await named.ReceiveTextAsync()).Should().Be("2");
        (await named.ReceiveTextAsync()).Should().Be("3");

        // The cursor's topics, where none is named.
        using var all = await server.ConnectAsync($"/live?after={cursor}");
        new[] { await all.ReceiveTextAsync(), await all.ReceiveTextAsync(), await all.ReceiveTextAsync() }.Should().BeEquivalentTo("1", "2", "3");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task After_HistoryHasGone_ClosesWith4290AndTheCursor(Wire wire)
    {
        await using var server = await TopicsServer.StartAsync(wire, topics => topics.Default.HistoryCount = 2);
        var cursor = await server.GetCursorAsync("?topic=a");
        for (var i = 0; i < 5; i++)
            await server.Hub().PublishAsync("a", $"{i}");
        using var socket = await server.ConnectAsync($"/live?topic=a&after={cursor}");
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        ((int)socket.CloseStatus!).Should().Be(4290);
        socket.CloseStatusDescription.Should().Be(cursor);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Received_ByDefault_IsIgnored()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        using var socket = await server.ConnectAsync("/live?topic=a");
        await socket.SendTextAsync("mine");
        await server.Hub().PublishAsync("a", "other");
        (await socket.ReceiveTextAsync()).Should().Be("other");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Received_PublishReceived_IsPublishedAsItCame()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish, options => options.PublishReceived = true);
        using var one = await server.ConnectAsync("/live?topic=a");
        using var other = await server.ConnectAsync("/live?topic=a");
        await one.SendTextAsync("hello");
        await one.SendAsync(Encoding.UTF8.GetBytes("bytes"), WebSocketMessageType.Binary, true, Until.Cancelled);
        (await other.ReceiveTextAsync()).Should().Be("hello");
        (await other.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Binary);
        (await one.ReceiveTextAsync()).Should().Be("hello");
        (await server.ConnectStatusAsync("/live?topic=a&topic=b")).Should().Be(400, "it would not be clear to which");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Received_MayNotPublish_ClosesWith1008()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, endpoint: options => options.PublishReceived = true);
        using var socket = await server.ConnectAsync("/live?topic=a");
        await socket.SendTextAsync("hello");
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.PolicyViolation);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Received_OverTheLimit_ClosesWith1009()
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes,
            topics =>
            {
                TopicsServer.AllowPublish(topics);
                topics.MaxPayloadSize = 10;
            },
            options => options.PublishReceived = true);
        using var socket = await server.ConnectAsync("/live?topic=a");
        await socket.SendTextAsync("hello world");
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("", 400)]
    [InlineData("?topic=", 400)]
    [InlineData("?topic=a%00b", 400)]
    [InlineData("?topic=a&after=nonsense", 400)]
    [InlineData("?topic=a&topic=b&topic=c", 400)]
    public async Task Handshake_AsksForWhatCannotBe_IsRefused(string query, int status)
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, topics => topics.MaxTopicsPerSubscription = 2);
        (await server.ConnectStatusAsync($"/live{query}")).Should().Be(status);
        server.Logs.Ours.Should().Contain(record => record.Event.Name == "TopicsRefused");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Topics_FixedByTheEndpoint_AreAllThereIs()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, endpoint: options =>
        {
            options.Topics = ["news"];
            options.AllowNamedTopics = false;
        });
        using var socket = await server.ConnectAsync("/live?topic=other");
        await server.Hub().PublishAsync("other", "no");
        await server.Hub().PublishAsync("news", "yes");
        (await socket.ReceiveTextAsync()).Should().Be("yes");
    }
}
