using System.Net.WebSockets;
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
