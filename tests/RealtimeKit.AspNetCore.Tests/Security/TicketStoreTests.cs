using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.Redis.Tests;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore.Tests.Security;

/// <summary>Tickets that several machines share in Redis: refreshed across them, and away.</summary>
public class TicketStoreTests
{
    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Http2)]
    public async Task Store_IsAway_Answers503AndNobodyGetsIn(Wire wire)
    {
        var handled = 0;
        var store = new SwitchedStore();
        await using var server = await AccessServer.StartAsync(
            wire,
            build: builder => builder.Services.AddSingleton<ITicketStore>(store),
            handler: (connection, _) =>
            {
                Interlocked.Increment(ref handled);
                return Handlers.EchoAsync(connection);
            });
        var cookie = await server.LoginAsync("ann");
        string[] paths = ["/ws", "/sse", "/live", "/admin"];
        var tickets = new Dictionary<string, string>();
        foreach (var path in paths)
            tickets[path] = await server.TicketAsync(path, await server.LoginAsync("root"));
        store.IsAway = true;
        foreach (var path in paths)
        {
            var query = $"{path}?topic=a&ticket={tickets[path]}";
            if (path != "/sse")
                (await server.ConnectStatusAsync(query)).Should().Be(503, path);
            if (path is "/sse" or "/live")
                (await TopicEvents.StatusAsync(server, query)).Should().Be(503, path);
        }

        using (var asked = await server.AskTicketAsync("/ws", cookie))
        {
            asked.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
            asked.Headers.RetryAfter.Should().NotBeNull();
        }

        handled.Should().Be(0);
        server.Logs.Ours.Should().Contain(record => record.Event.Id == RealtimeEventIds.TicketStoreFailed);
        server.Logs.Ours.Should().NotContain(record => record.Event.Id == RealtimeEventIds.Connected || record.Event.Id == RealtimeEventIds.StreamOpened);
        (await server.ConnectStatusAsync("/ws", cookie)).Should().Be(wire.IsHttp2() ? 200 : 101, "who needs no ticket is not kept out");

        store.IsAway = false;
        (await server.ConnectStatusAsync($"/ws?ticket={tickets["/ws"]}")).Should().Be(wire.IsHttp2() ? 200 : 101, "it was not spent");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Redis_IsKilled_Answers503()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await StartNodeAsync(redis, null);
        var ticket = await server.TicketAsync("/ws", await server.LoginAsync("ann"));
        await redis.KillAsync();
        (await server.ConnectStatusAsync($"/ws?ticket={ticket}")).Should().Be(503);
        using var asked = await server.AskTicketAsync("/ws", await server.LoginAsync("ann"));
        asked.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        server.Logs.Ours.Should().NotContain(record => record.Message.Contains(ticket, StringComparison.Ordinal));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Refresh_WithATicketOfAnotherNode_ExtendsTheConnection()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var redis = await RedisServer.StartAsync();
        await using var one = await StartNodeAsync(redis, clock);
        await using var two = await StartNodeAsync(redis, clock);
        var cookie = await one.LoginAsync("ann", 20);
        using var client = await two.ConnectAsync($"/ws?ticket={await one.TicketAsync("/ws", cookie)}");
        using var events = await TopicEvents.OpenAsync(two, $"/live?topic=a&ticket={await one.TicketAsync("/live", cookie)}");

        await client.SendTextAsync(await one.TicketAsync("/ws", await one.LoginAsync("ann", 60)));
        (await client.ReceiveTextAsync()).Should().Be("Refreshed");
        using (var refreshed = await one.PostAsync("/live", $$"""{"stream":"{{events.Key}}","refresh":true}""", await one.LoginAsync("ann", 60)))
            refreshed.StatusCode.Should().Be(HttpStatusCode.OK, "the nodes know of each other's streams");
        clock.Advance(TimeSpan.FromSeconds(21));

        await client.SendTextAsync("still here");
        (await client.ReceiveTextAsync()).Should().Be("TicketRefused");
        await two.Hub().PublishAsync("a", "still here");
        (await events.ReadAsync())!.Data.Should().Be("still here");
        clock.Advance(TimeSpan.FromSeconds(40));
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4401);
        (await events.ReadAsync())!.Data.Should().Contain("authentication expired");
    }

    private static Task<TestServerHost> StartNodeAsync(RedisServer redis, FakeTimeProvider? clock) => AccessServer.StartAsync(
        Wire.Pipes,
        clock: clock,
        build: builder =>
        {
            // One machine's cookies are the other's.
            builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
            builder.Services.AddSingleton(SharedKeys);
            builder.Services.AddRedisTickets(redis.ConnectionString);
            builder.Services.AddTopics().AddRedis(redis.ConnectionString);
        },
        handler: async (connection, context) =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync($"{await context.RefreshWithTicketAsync(message.GetText())}");
        });

    private static readonly IDataProtectionProvider SharedKeys = new EphemeralDataProtectionProvider();

    private sealed class SwitchedStore : ITicketStore
    {
        private readonly MemoryTicketStore _inner = new();

        public volatile bool IsAway;

        public ValueTask<bool> TryAddAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken cancellationToken) =>
            IsAway ? throw Away() : _inner.TryAddAsync(key, value, lifetime, cancellationToken);

        public ValueTask<ReadOnlyMemory<byte>?> TakeAsync(string key, CancellationToken cancellationToken) =>
            IsAway ? throw Away() : _inner.TakeAsync(key, cancellationToken);

        private static TicketStoreException Away() => new("The store is away.");
    }
}
