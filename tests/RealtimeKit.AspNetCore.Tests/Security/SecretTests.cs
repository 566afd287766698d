using System.Reflection;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

public class SecretTests
{
    private const string Mark = "hunter2";

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Logs_OfEverything_HoldNoSecret(Wire wire)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await AccessServer.StartAsync(wire, clock: clock, realtime: options => options.MaxConnectionsPerUser = 4, handler: async (connection, context) =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync($"{await context.RefreshWithTicketAsync(message.GetText())}");
        });
        var cookie = await server.LoginAsync("ann", 50);
        var token = await server.TokenAsync("ann");
        var secrets = new List<string> { Mark, cookie.Value.Split('=')[1], token.Value.Split(' ')[1] };
        (string, string)[] page = [cookie, ("Origin", server.Origin())];

        foreach (var path in new[] { "/ws", "/sse", "/live" })
        {
            var ticket = await server.TicketAsync(path, page);
            secrets.Add(ticket);
            for (var i = 0; i < 2; i++)   // redeemed, then refused
                await server.ConnectStatusAsync($"{path}?topic=a&ticket={ticket}&password={Mark}", ("Origin", server.Origin()));
            await TopicEvents.StatusAsync(server, $"{path}?topic=a&ticket={ticket}&password={Mark}");
            await TopicEvents.StatusAsync(server, $"{path}?topic=a&lastEventId={Mark}", token, ("Last-Event-ID", $"{Mark}.cursor"));
            await server.ConnectStatusAsync($"{path}?after={Mark}&ticket={Mark}", ("Origin", "https://evil.example"), token);
        }

        using (await server.AskTicketAsync(Mark, cookie))
        using (await server.PostAsync("/tickets", $$"""{"endpoint":"{{Mark}}" """, cookie))
        using (await server.PostAsync($"/live/a?password={Mark}", Mark, cookie))
        using (await server.PostAsync("/live", $$"""{"stream":"{{Mark}}"}""", cookie))
        using (var client = await server.ConnectAsync($"/ws?password={Mark}", options => options.SetRequestHeader(cookie.Name, cookie.Value)))
        using (var events = await TopicEvents.OpenAsync(server, $"/live?topic=a&password={Mark}", cookie))
        {
            secrets.Add(events.Key);
            await client.SendTextAsync(Mark);
            (await client.ReceiveTextAsync()).Should().Be("TicketRefused");
            var fresh = await server.TicketAsync("/ws", cookie);
            secrets.Add(fresh);
            await client.SendTextAsync(fresh);
            (await client.ReceiveTextAsync()).Should().Be("Refreshed");
            for (var i = 0; i < 6; i++)
                await server.ConnectStatusAsync($"/ws?password={Mark}", cookie);
            clock.Advance(TimeSpan.FromSeconds(60));
            await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.AuthenticationExpired));
        }

        var text = new StringBuilder();
        foreach (var record in server.Logs.Ours)
            text.AppendLine(record.Message).Append(record.Exception);
        text.Length.Should().BeGreaterThan(1000);
        foreach (var secret in secrets)
            text.ToString().Should().NotContain(secret);
        text.ToString().Should().NotContain("?", "a query string begins with it");
        server.Logs.Ours.Select(record => record.Event.Id).Distinct().Should().Contain([
            RealtimeEventIds.Connected, RealtimeEventIds.OriginRefused, RealtimeEventIds.TicketIssued, RealtimeEventIds.TicketRedeemed,
            RealtimeEventIds.TicketRefused, RealtimeEventIds.TicketNotIssued, RealtimeEventIds.TopicsRefused, RealtimeEventIds.StreamOpened]);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task EventIds_InLogs_AreThoseThatAreDocumented()
    {
        await using var server = await AccessServer.StartAsync(Wire.Pipes);
        await server.ConnectStatusAsync("/ws", await server.LoginAsync("ann"));
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.Closed));
        var names = typeof(RealtimeEventIds).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(field => (int)field.GetRawConstantValue()!, field => field.Name);
        foreach (var record in server.Logs.Ours.Where(record => record.Category is not "RealtimeKit.AspNetCore.TicketAuthenticationHandler"))
            names.Should().Contain(record.Event.Id, record.Event.Name!, record.Message);
    }
}
