namespace RealtimeKit.Security.Tests;

/// <summary>Floods of names: topics in a query, in a change, in joins; what one client names must not be in another's way. Beyond the survey of known attacks.</summary>
public class TopicFloodTests
{
    private const int MaxTopics = 1000;

    // Whoever asks for a cursor, or connects and goes, leaves topics behind. They are not to use up all places there are.
    [Theory(Timeout = Until.Bound), InlineData("cursor"), InlineData("sse")]
    public async Task Names_OfClientsThatAreGone_LeaveRoomForOthers(string kind)
    {
        var most = kind == "cursor" ? MaxTopics : 100;
        await using var server = await StartAsync(most);
        await using var bystander = await Bystander.JoinAsync(server);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=kept");
        for (var i = 0; i < most + 60; i += 60)
        {
            var query = "?" + string.Join('&', Enumerable.Range(i, 60).Select(n => $"topic=t{n}"));
            if (kind == "cursor")
                await server.GetCursorAsync(query);
            else
                (await TopicEvents.StatusAsync(server, $"/live{query}")).Should().Be(200);
            // Topics are let go one after the other: of the last, or the next request might find the others still in use.
            await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic($"t{i + 59}")).AsTask().Result.Count == 0);
        }

        using var published = await server.PostAsync("/live/new", "x");
        published.StatusCode.Should().Be(HttpStatusCode.Accepted);
        using var kept = await server.PostAsync("/live/kept", "still here");
        (await events.ReadAsync())!.Data.Should().Be("still here", "a topic with subscribers stays");
        await bystander.IsServedAsync();
    }

    // Topics that are in use do not go: then the limit holds, with an answer that says so.
    [Fact(Timeout = Until.Bound)]
    public async Task Names_InUse_StayAndTheNextIs503()
    {
        await using var server = await StartAsync(10);
        for (var i = 0; i < 10; i++)
        {
            using var published = await server.PostAsync($"/live/t{i}", "history");
            published.StatusCode.Should().Be(HttpStatusCode.Accepted);
        }

        using var refused = await server.PostAsync("/live/t10", "x");
        refused.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        using var again = await server.PostAsync("/live/t3", "x");
        again.StatusCode.Should().Be(HttpStatusCode.Accepted);
    }

    [Theory(Timeout = Until.Bound), InlineData(100, 400), InlineData(10_000, 200)]
    public async Task Topics_ByTheHundredInOneQuery_Are400(int limit, int status)
    {
        await using var server = await StartAsync(limit: limit);
        await using var bystander = await Bystander.JoinAsync(server);
        var query = "?" + string.Join('&', Enumerable.Range(0, 120).Select(n => $"topic={n}"));
        (await TopicEvents.StatusAsync(server, $"/live{query}")).Should().Be(status);
        (await server.ConnectStatusAsync($"/live{query}")).Should().Be(status == 200 ? 101 : status);
        await Until.TrueAsync(() => server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("0")).AsTask().Result.Count == 0);
        await bystander.IsServedAsync();
    }

    // 10,000 names are more than the host takes in one request line.
    [Fact(Timeout = Until.Bound)]
    public async Task Topics_ByTheTenThousand_AreRefusedByTheHost()
    {
        await using var server = await StartAsync();
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await RawWebSocket.OpenAsync(server.Port, isTls: false);
        await peer.SendHeadAsync($"GET /live?{string.Join('&', Enumerable.Range(0, 10_000).Select(n => $"topic={n}"))} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n");
        peer.StatusCode.Should().Be(414);
        await bystander.IsServedAsync();
    }

    [Theory(Timeout = Until.Bound), InlineData(100, true), InlineData(10_000, false)]
    public async Task Joins_WithoutEnd_StopAtTheLimit(int limit, bool isLimited)
    {
        await using var server = await StartAsync(MaxTopics * 10, limit);
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/live", "Sec-WebSocket-Protocol: json.webpubsub.azure.v1");
        const int Joins = 300;
        await peer.SendAsync([.. Enumerable.Range(1, Joins).Select(i => RawWebSocket.Text($$"""{"type":"joinGroup","group":"{{i}}","ackId":{{i}}}"""))]);
        var joined = 0;
        for (var answers = 0; answers < Joins;)
        {
            var text = (await peer.ReceiveAsync())!.Text;
            if (!text.Contains("\"ack\"", StringComparison.Ordinal))
                continue;
            answers++;
            if (text.Contains("\"success\":true", StringComparison.Ordinal))
                joined++;
        }

        void AssertHeld() => joined.Should().Be(100);
        if (isLimited)
            AssertHeld();
        else
            Proof.FailsWithoutTheLimit(AssertHeld);
        await bystander.IsServedAsync();
    }

    // Joining and leaving: each is told to whoever watches presence, who is to be told in bounded memory.
    [Fact(Timeout = Until.Bound)]
    public async Task Presence_FloodedWithJoinsAndLeaves_HoldsItsHistoryOnly()
    {
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes, topics => topics.Topic("room", room => room.Presence = true), map: app => app.MapWebSocket("/echo", Handlers.EchoAsync));
        await using var bystander = await Bystander.JoinAsync(server);
        await using var peer = await Peer.ConnectAsync(server, "/live", "Sec-WebSocket-Protocol: json.webpubsub.azure.v1");
        var before = RetainedMemory.Measure();
        var reading = peer.ReadCloseAsync();
        for (var i = 0; i < 50; i++)
            await peer.SendAsync([.. Enumerable.Repeat(new[] { RawWebSocket.Text("""{"type":"joinGroup","group":"room"}"""), RawWebSocket.Text("""{"type":"leaveGroup","group":"room"}""") }, 100).SelectMany(pair => pair)]);
        await peer.SendAsync(RawWebSocket.Frame(9, "are you there?"u8));
        (await reading).Should().BeNull();
        RetainedMemory.Since(before).Should().BeLessThan(8 * RetainedMemory.MiB);
        await bystander.IsServedAsync();
    }

    // Changes of a stream by POST, while its fragments and those of others are under way: refused or carried out, never both.
    [Fact(Timeout = Until.Bound)]
    public async Task Changes_ManyAtOnce_EndInAStateThatWasAskedFor()
    {
        await using var server = await StartAsync();
        await using var bystander = await Bystander.JoinAsync(server);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        var changes = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => server.ChangeAsync(events.Key, [.. Enumerable.Range(0, 3).Select(n => $"c{(i + n) % 150}")], i % 2 == 0 ? [$"c{i}"] : null)));
        changes.Should().OnlyContain(response => response.StatusCode == HttpStatusCode.OK || response.StatusCode == HttpStatusCode.BadRequest);
        using var large = await server.PostAsync("/live", "{\"stream\":\"" + new string('x', 70_000) + "\"}");
        large.StatusCode.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        await bystander.IsServedAsync();
    }

    private static Task<TestServerHost> StartAsync(int maxTopics = MaxTopics, int limit = 100) => TopicsServer.StartAsync(
        Wire.Pipes,
        topics =>
        {
            TopicsServer.AllowPublish(topics);
            topics.MaxTopics = maxTopics;
            topics.MaxTopicsPerSubscription = limit;
        },
        map: app => app.MapWebSocket("/echo", Handlers.EchoAsync));
}
