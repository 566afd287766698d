using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

public class TicketTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Ticket_OnEachEndpoint_IsTheUserOnce(Wire wire)
    {
        await using var server = await AccessServer.StartAsync(wire, handler: (connection, context) => connection.SendAsync(context.GetRealtimeSession()!.UserId!).AsTask());
        (string, string)[] page = [await server.LoginAsync("ann"), ("Origin", server.Origin())];
        var ticket = await server.TicketAsync("/ws", page);
        ticket.Should().HaveLength(43);
        using (var client = await server.ConnectAsync($"/ws?ticket={ticket}", options => options.SetRequestHeader("Origin", server.Origin())))
            (await client.ReceiveTextAsync()).Should().Be("ann");
        (await server.ConnectStatusAsync($"/ws?ticket={ticket}", ("Origin", server.Origin()))).Should().Be(401, "it was used");

        // A browser names no origin for an EventSource of the same origin (Fetch §3.2), but says that it is.
        var path = $"/sse?ticket={await server.TicketAsync("/sse", page)}";
        using (var events = await EventStream.OpenedAsync(server, path, ("Sec-Fetch-Site", "same-origin")))
            (await events.ReadAsync()).Should().Be("data: hello");
        (await TopicEvents.StatusAsync(server, path)).Should().Be(401, "an EventSource that comes back has no ticket any more");
        using (var events = await TopicEvents.OpenAsync(server, $"/live?topic=a&ticket={await server.TicketAsync("/live", page)}"))
            events.Topics.Should().Equal("a");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Ticket_RoleAndExpiry_AreThoseOfTheUser()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        (await server.ConnectStatusAsync($"/admin?ticket={await server.TicketAsync("/admin", await server.LoginAsync("root"))}")).Should().Be(101);
        (await server.ConnectStatusAsync($"/admin?ticket={await server.TicketAsync("/admin", await server.LoginAsync("ann"))}")).Should().Be(403);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Ticket_ManyAtOnce_OneGetsIn()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        var ticket = await server.TicketAsync("/ws", await server.LoginAsync("ann"));
        var statuses = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.ConnectStatusAsync($"/ws?ticket={ticket}")));
        statuses.Order().Should().Equal([101, .. Enumerable.Repeat(401, 15)]);
    }

    [Theory(Timeout = Until.Bound)]
    [InlineData("/ws", "/sse", null, TicketFailure.OtherEndpoint)]
    [InlineData("/ws", "/ws", "https://evil.example", TicketFailure.OtherOrigin)]
    [InlineData("/ws", "/ws", "cross-site", TicketFailure.OtherOrigin)]
    public async Task Ticket_ForSomethingElse_IsRefusedAndSpent(string issuedFor, string used, string? origin, TicketFailure failure)
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes, map: app => app.MapWebSocket("/any", new WebSocketEndpointOptions { Origins = OriginPolicy.Any }, Handlers.EchoAsync));
        var own = ("Origin", server.Origin());
        var ticket = await server.TicketAsync(issuedFor, await server.LoginAsync("ann"), own);
        (string, string)[] headers = origin switch
        {
            null => [],
            "cross-site" => [("Sec-Fetch-Site", "cross-site")],
            _ => [("Origin", origin)],
        };
        (await TopicEvents.StatusAsync(server, $"{used}?ticket={ticket}", headers)).Should().Be(401);
        (await server.ConnectStatusAsync($"{issuedFor}?ticket={ticket}", own)).Should().Be(401);
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Id == RealtimeEventIds.TicketRefused && record.Message.EndsWith($"{failure}.", StringComparison.Ordinal));
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Id == RealtimeEventIds.TicketRefused && record.Message.EndsWith("Unknown.", StringComparison.Ordinal));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Ticket_OfNoOne_IsRefused()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        foreach (var ticket in new[] { "", "x", new string('a', 42), new string('a', 44), new string('a', 43), new string('%', 43), new string('+', 43) })
            (await server.ConnectStatusAsync($"/ws?ticket={Uri.EscapeDataString(ticket)}")).Should().Be(401);
        var good = await server.TicketAsync("/ws", await server.LoginAsync("ann"));
        (await server.ConnectStatusAsync($"/ws?ticket={good}&ticket={good}")).Should().Be(401, "one request, one ticket");
        (await server.ConnectStatusAsync($"/ws?ticket={good}")).Should().Be(101, "nobody has looked at it");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Ticket_PastItsLifetime_IsRefused()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(Wire.Pipes, clock: clock);
        var cookie = await server.LoginAsync("ann");
        var late = await server.TicketAsync("/ws", cookie);
        clock.Advance(TimeSpan.FromSeconds(30));
        (await server.ConnectStatusAsync($"/ws?ticket={late}")).Should().Be(401);
        var inTime = await server.TicketAsync("/ws", cookie);
        clock.Advance(TimeSpan.FromSeconds(29));
        (await server.ConnectStatusAsync($"/ws?ticket={inTime}")).Should().Be(101);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Issue_OfWhatIsNotAllowed_IsRefused()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes, tickets: options => options.MaxUserSize = 400);
        var cookie = await server.LoginAsync("ann");
        foreach (var (body, status) in new[] { ("{}", 400), ("no", 400), ("""{"endpoint":"/open"}""", 400), ("""{"endpoint":"/ws","endpoint":"/ws"}""", 400), (new string(' ', 5000), 413) })
        {
            using var response = await server.PostAsync("/tickets", body, cookie);
            ((int)response.StatusCode).Should().Be(status, body[..Math.Min(40, body.Length)]);
        }

        using var form = await server.SendAsync(HttpMethod.Post, "/tickets", new StringContent("endpoint=/ws"), cookie);
        ((int)form.StatusCode).Should().Be(415);
        using var large = await server.AskTicketAsync("/ws", await server.LoginAsync(new string('n', 300)));
        ((int)large.StatusCode).Should().Be(400);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Issue_TooOften_Answers429ToThatUserOnly()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        var cookie = await server.LoginAsync("ann");
        var statuses = new List<int>();
        for (var i = 0; i < 60; i++)
        {
            using var response = await server.AskTicketAsync("/ws", cookie);
            statuses.Add((int)response.StatusCode);
            if (statuses[^1] == 429)
                response.Headers.RetryAfter.Should().NotBeNull();
        }

        statuses.Count(status => status == 200).Should().BeGreaterThanOrEqualTo(30);
        statuses.Should().Contain(429);
        await server.TicketAsync("/ws", await server.LoginAsync("bob"));
    }
}
