
namespace RealtimeKit.AspNetCore.Tests.Security;

public class AuthenticationTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Endpoint_NobodySignedIn_Answers401AndNoLoginPage(Wire wire)
    {
        await using var server = await AccessServer.StartAsync(wire);
        (await server.ConnectStatusAsync("/ws")).Should().Be(401);
        (await server.ConnectStatusAsync("/live?topic=a")).Should().Be(401);
        (await server.ConnectStatusAsync("/open")).Should().Be(wire.IsHttp2() ? 200 : 101);
        foreach (var path in new[] { "/sse", "/live?topic=a" })
        {
            using var refused = await server.SendAsync(HttpMethod.Get, path, null, ("Accept", "text/event-stream"));
            ((int)refused.StatusCode).Should().Be(401);
            (await refused.Content.ReadAsStringAsync(Until.Cancelled)).Should().BeEmpty("an EventSource cannot show a login page");
        }

        using var post = await server.PostAsync("/live/a", "x");
        ((int)post.StatusCode).Should().Be(401);
        using var tickets = await server.AskTicketAsync("/ws");
        ((int)tickets.StatusCode).Should().Be(401);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes, true), InlineData(Wire.Pipes, false), InlineData(Wire.Http2, true), InlineData(Wire.Http2, false)]
    public async Task Endpoint_SignedIn_IsOpenedAndKnowsTheUser(Wire wire, bool isCookie)
    {
        await using var server = await AccessServer.StartAsync(wire, handler: async (connection, context) =>
            await connection.SendAsync($"{context.User.FindFirst("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier")!.Value} {context.GetRealtimeSession()!.UserId}"));
        var credentials = isCookie ? await server.LoginAsync("ann") : await server.TokenAsync("ann");
        using var client = await server.ConnectAsync("/ws", options => options.SetRequestHeader(credentials.Name, credentials.Value));
        (await client.ReceiveTextAsync()).Should().Be("ann ann");
        using (var events = await EventStream.OpenedAsync(server, "/sse", credentials))
            (await events.ReadAsync()).Should().Be("data: hello");
        using (var events = await TopicEvents.OpenAsync(server, "/live?topic=a", credentials))
            events.Topics.Should().Equal("a");
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Policy_ThatTheUserDoesNotMeet_Answers403(Wire wire)
    {
        await using var server = await AccessServer.StartAsync(wire);
        (await server.ConnectStatusAsync("/admin", await server.LoginAsync("ann"))).Should().Be(403);
        (await server.ConnectStatusAsync("/admin", await server.LoginAsync("root"))).Should().Be(wire.IsHttp2() ? 200 : 101);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Cookie_OfAUserWhoIsOnAnotherSite_OpensNothing()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        var cookie = await server.LoginAsync("ann");
        foreach (var origin in new[] { "https://evil.example", "null", $"http://evil.127.0.0.1:{server.Port}", $"https://127.0.0.1:{server.Port}" })
        {
            // What a proxy would be believed only where the application says that there is one.
            (string, string)[] headers = [cookie, ("Origin", origin), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")];
            (await server.ConnectStatusAsync("/ws", headers)).Should().Be(403);
            (await TopicEvents.StatusAsync(server, "/sse", headers)).Should().Be(403);
            (await TopicEvents.StatusAsync(server, "/live?topic=a", headers)).Should().Be(403);
            using var tickets = await server.AskTicketAsync("/ws", headers);
            ((int)tickets.StatusCode).Should().Be(403);
        }
    }
}
