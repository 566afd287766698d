using System.Net.WebSockets;
using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

public class ExpiryTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Stream), InlineData(Wire.Http2)]
    public async Task Expiry_OfTheCookie_ClosesWith4401(Wire wire)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(wire, clock: clock);
        var cookie = await server.LoginAsync("ann", 20);
        using var client = await server.ConnectAsync("/ws", options => options.SetRequestHeader(cookie.Name, cookie.Value));
        await client.SendTextAsync("x");
        (await client.ReceiveTextAsync()).Should().Be("x");
        clock.Advance(TimeSpan.FromSeconds(19));
        await client.SendTextAsync("y");
        (await client.ReceiveTextAsync()).Should().Be("y");
        clock.Advance(TimeSpan.FromSeconds(2));
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4401);
        client.CloseStatusDescription.Should().Be("authentication expired");
        server.Logs.Ours.Should().ContainSingle(record => record.Event.Id == RealtimeEventIds.AuthenticationExpired && record.Message.Contains("ann"));
        (await server.ConnectStatusAsync("/ws", cookie)).Should().Be(401);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Expiry_IsSwitchedOff_LeavesTheConnection()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(Wire.Pipes, options => options.CloseOnExpiry = false, clock: clock);
        var cookie = await server.LoginAsync("ann", 20);
        using var client = await server.ConnectAsync("/ws", options => options.SetRequestHeader(cookie.Name, cookie.Value));
        clock.Advance(TimeSpan.FromMinutes(5));
        await client.SendTextAsync("x");
        (await client.ReceiveTextAsync()).Should().Be("x");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Expiry_OfAnEventStream_EndsItAndTheReconnectGets401()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(Wire.Pipes, clock: clock);
        var cookie = await server.LoginAsync("ann", 20);
        using var plain = await EventStream.OpenedAsync(server, "/sse", cookie);
        (await plain.ReadAsync()).Should().Be("data: hello");
        using var topics = await TopicEvents.OpenAsync(server, "/live?topic=a", cookie);
        clock.Advance(TimeSpan.FromSeconds(21));
        (await plain.ReadAsync()).Should().BeNull();
        (await topics.ReadAsync(1)).Should().Equal("""disconnected: {"reason":"authentication expired"}""");
        (await topics.ReadAsync()).Should().BeNull();
        await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Event.Id == RealtimeEventIds.StreamEnded && record.Message.EndsWith("Expired.", StringComparison.Ordinal)) == 2);
        (await TopicEvents.StatusAsync(server, "/sse", cookie)).Should().Be(401);
    }

    // RFC 7519 §4.1.4: what a token says that a scheme which keeps no time of its own has validated, and ten seconds more by default.
    [Theory(Timeout = Until.Bound), InlineData("20"), InlineData("20.75")]
    public async Task Expiry_OfTheClaimExp_ClosesAfterTheDefaultGrace(string seconds)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var start = clock.GetUtcNow();
        var exp = $"{start.ToUnixTimeSeconds() + int.Parse(seconds.Split('.')[0], System.Globalization.CultureInfo.InvariantCulture)}{seconds[2..]}";
        await using var server = await AccessServer.StartAsync(
            Wire.Pipes,
            options => options.ExpiryGrace = new RealtimeOptions().ExpiryGrace,
            clock: clock,
            map: app =>
            {
                // As bearer schemes do whose results carry no ExpiresUtc.
                app.Use((context, next) =>
                {
                    if (context.Request.Headers["X-Exp"] is [{ } exp])
                        context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ann"), new Claim("exp", exp)], "token"));
                    return next(context);
                });
                app.MapServerSentEvents("/events", (_, closed) => Task.Delay(Timeout.Infinite, closed));
            });
        new RealtimeOptions().ExpiryGrace.Should().Be(TimeSpan.FromSeconds(10));
        using var client = await server.ConnectAsync("/open", options => options.SetRequestHeader("X-Exp", exp));
        using var events = await EventStream.OpenedAsync(server, "/events", ("X-Exp", exp));
        await client.SendTextAsync("first");
        (await client.ReceiveTextAsync()).Should().Be("first", "the deadline is set before the handler runs");
        clock.Advance(TimeSpan.FromSeconds(29.5));
        await client.SendTextAsync("x");
        (await client.ReceiveTextAsync()).Should().Be("x", "clocks differ");
        (await server.ConnectStatusAsync("/open", ("X-Exp", exp))).Should().Be(101);

        clock.Advance(TimeSpan.FromSeconds(2));
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4401);
        (await events.ReadAsync()).Should().BeNull();
        (await server.ConnectStatusAsync("/open", ("X-Exp", exp))).Should().Be(401);
        foreach (var odd in new[] { "", "soon", "-1", "NaN", "1e400" })
            (await server.ConnectStatusAsync("/open", ("X-Exp", odd))).Should().Be(101, "'{0}' is no time: nothing is known of an end", odd);
    }

    [Theory(Timeout = Until.Bound), InlineData("ann", RealtimeRefreshResult.Refreshed), InlineData("bob", RealtimeRefreshResult.OtherUser)]
    public async Task Refresh_WithATicketInBand_ExtendsOnlyTheUsersOwn(string name, RealtimeRefreshResult expected)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(Wire.Pipes, clock: clock, handler: async (connection, context) =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync($"{await context.RefreshWithTicketAsync(message.GetText())}");
        });
        var cookie = await server.LoginAsync("ann", 20);
        using var client = await server.ConnectAsync("/ws", options => options.SetRequestHeader(cookie.Name, cookie.Value));
        await client.SendTextAsync("no ticket");
        (await client.ReceiveTextAsync()).Should().Be("TicketRefused");
        await client.SendTextAsync(await server.TicketAsync("/ws", await server.LoginAsync(name, 100)));
        (await client.ReceiveTextAsync()).Should().Be($"{expected}");
        clock.Advance(TimeSpan.FromSeconds(21));
        if (expected == RealtimeRefreshResult.Refreshed)
        {
            await client.SendTextAsync("still here");
            (await client.ReceiveTextAsync()).Should().Be("TicketRefused");
            clock.Advance(TimeSpan.FromSeconds(60));
            clock.Advance(TimeSpan.FromSeconds(60));
        }

        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4401);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Refresh_OfAnEventStreamByPost_ExtendsItAndAsksAgainWhatItMayRead()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var isAllowed = true;
        await using var server = await AccessServer.StartAsync(Wire.Pipes, clock: clock, topics: options =>
            options.Default.AuthorizeSubscribe = access => ValueTask.FromResult(access.Topic == "a" || isAllowed));
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a&topic=b", await server.LoginAsync("ann", 20));
        var refresh = $$"""{"stream":"{{events.Key}}","refresh":true}""";
        using (var other = await server.PostAsync("/live", refresh, await server.LoginAsync("bob", 1000)))
            ((int)other.StatusCode).Should().Be(403);
        isAllowed = false;
        using (var own = await server.PostAsync("/live", refresh, await server.LoginAsync("ann", 50)))
        {
            ((int)own.StatusCode).Should().Be(200);
            (await own.Content.ReadAsStringAsync(Until.Cancelled)).Should().Be("""{"topics":["a"]}""");
        }

        clock.Advance(TimeSpan.FromSeconds(21));
        await server.Hub().PublishAsync("a", "still here"u8.ToArray());
        (await events.ReadAsync(1)).Should().Equal("a: still here");
        clock.Advance(TimeSpan.FromSeconds(30));
        (await events.ReadAsync(1)).Should().Equal("""disconnected: {"reason":"authentication expired"}""");
    }
}
