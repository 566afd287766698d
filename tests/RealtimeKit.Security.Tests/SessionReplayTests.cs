using System.Security.Claims;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, replay across sessions: what one user was given, a cursor, a stream's key, a token, in another's hands.</summary>
public class SessionReplayTests
{
    private static readonly (string, string) Ann = ("X-User", "ann");
    private static readonly (string, string) Bob = ("X-User", "bob");

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Cursor_OfAnotherUser_GrantsNothing(bool isAuthorized)
    {
        await using var server = await StartAsync(isAuthorized);
        await using var bystander = await Bystander.JoinAsync(server);
        string cursor;
        using (var events = await TopicEvents.OpenAsync(server, "/live?topic=user/ann", Ann))
        {
            cursor = events.LastEventId!;
            await server.Hub().PublishAsync("user/ann", "secret");
        }

        int[] statuses =
        [
            await TopicEvents.StatusAsync(server, "/live", Bob, ("Last-Event-ID", cursor)),
            await TopicEvents.StatusAsync(server, $"/live?after={cursor}", Bob),
            await TopicEvents.StatusAsync(server, $"/live?topic=other&lastEventId={cursor}&topic=user/ann", Bob),
            await TopicEvents.StatusAsync(server, "/live", ("Last-Event-ID", cursor)),
            await server.ConnectStatusAsync($"/live?after={cursor}", Bob),
        ];
        void AssertRefused() => statuses.Should().OnlyContain(status => status == 403);
        if (isAuthorized)
            AssertRefused();
        else
            Proof.FailsWithoutTheLimit(AssertRefused);
        using var again = await TopicEvents.OpenAsync(server, "/live", Ann, ("Last-Event-ID", cursor));
        (await again.ReadAsync())!.Data.Should().Be("secret", "whose it is gets on");
        await bystander.IsServedAsync();
    }

    [Fact(Timeout = Until.Bound)]
    public async Task StreamKey_OfAnotherUser_ChangesNothing()
    {
        await using var server = await StartAsync(isAuthorized: true);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=user/ann", Ann);
        using var others = await server.ChangeAsync(events.Key, ["user/bob"], headers: Bob);
        others.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        using var nobody = await server.ChangeAsync(events.Key, ["public"]);
        nobody.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        foreach (var key in new[] { events.Key[..^1] + (events.Key[^1] == 'A' ? 'Q' : 'A'), events.Key[..22] + "." + new string('A', 22), new string('A', 45), "", "x" })
        {
            using var guessed = await server.ChangeAsync(key, ["public"], headers: Ann);
            guessed.StatusCode.Should().Be(HttpStatusCode.NotFound, "and whether there is such a stream it does not say");
        }

        using var own = await server.ChangeAsync(events.Key, ["public"], headers: Ann);
        own.StatusCode.Should().Be(HttpStatusCode.OK, "the proof that the requests above were in order");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task RecoveryToken_OfAnotherUser_RecoversNothing()
    {
        const string Protocol = "Sec-WebSocket-Protocol: json.reliable.webpubsub.azure.v1";
        await using var server = await StartAsync(isAuthorized: true);
        string id, token;
        await using (var peer = await Peer.ConnectAsync(server, "/live?topic=user/ann", Protocol, "X-User: ann"))
        {
            var connected = System.Text.Json.JsonDocument.Parse((await peer.ReceiveAsync())!.Text).RootElement;
            (id, token) = (connected.GetProperty("connectionId").GetString()!, connected.GetProperty("reconnectionToken").GetString()!);
            peer.Reset();
        }

        foreach (var (user, secret, isHers) in new[] { ("bob", token, false), ("ann", new string('A', token.Length), false), ("ann", token, true) })
        {
            await using var peer = await Peer.ConnectAsync(server, $"/live?awps_connection_id={id}&awps_reconnection_token={secret}", Protocol, $"X-User: {user}");
            var first = (await peer.ReceiveAsync())!;
            first.Text.Contains($"\"connectionId\":\"{id}\"", StringComparison.Ordinal).Should().Be(isHers);
            if (!isHers)
                (await peer.ReadCloseAsync()).Should().Be(WebSocketCloseStatus.PolicyViolation);
        }
    }

    // Cursors are taken apart by a parser of our own: whatever is no cursor is 400, and quickly.
    [Theory(Timeout = Until.Bound)]
    [InlineData("x")]
    [InlineData("%00")]
    [InlineData("not base64 !!")]
    [InlineData("AAAA====")]
    [InlineData("..%2F..%2Fetc")]
    [InlineData("LONG")]
    [InlineData("CUT")]
    public async Task Cursor_ThatIsNone_Is400(string cursor)
    {
        await using var server = await StartAsync(isAuthorized: false);
        await using var bystander = await Bystander.JoinAsync(server);
        var real = await server.GetCursorAsync("?topic=a");
        if (cursor == "LONG")
            cursor = string.Concat(Enumerable.Repeat(real[1..], 6000 / real.Length)).Insert(0, real[..1]);
        else if (cursor == "CUT")
            cursor = real[..^2];
        (await TopicEvents.StatusAsync(server, $"/live?topic=a&after={cursor}")).Should().Be(400);
        (await server.ConnectStatusAsync($"/live?topic=a&after={cursor}")).Should().Be(400);
        (await TopicEvents.StatusAsync(server, $"/live?topic=a&after={real}")).Should().Be(200);
        await bystander.IsServedAsync();
    }

    private static Task<TestServerHost> StartAsync(bool isAuthorized) => TopicsServer.StartAsync(
        Wire.Pipes,
        topics =>
        {
            if (isAuthorized)
                topics.Topic("user/*", topic => topic.AuthorizeSubscribe = access => ValueTask.FromResult(access.Topic == $"user/{access.User.FindFirst(ClaimTypes.NameIdentifier)?.Value}"));
        },
        map: app => app.MapWebSocket("/echo", Handlers.EchoAsync));
}
