using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Tickets;

public sealed class RedisTicketStoreTests
{
    private static readonly ClaimsPrincipal Ann = new(new ClaimsIdentity([new Claim("sub", "ann")], "test"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ticket_IssuedByOneNode_IsRedeemedByAnotherOnce()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Store(server.ConnectionString);
        await using var two = Store(server.ConnectionString);
        var ticket = (await Service(one).IssueAsync(Ann, "/live", "https://page.example", cancellationToken: Token)).Ticket!;
        (await server.ExecuteAsync("KEYS *"))!.Should().NotContain(ticket, "Redis sees its hash");

        var redemptions = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            Service(i % 2 == 0 ? one : two).RedeemAsync(ticket, "/live", "https://page.example", Token).AsTask()));

        redemptions.Count(redemption => redemption.User?.FindFirst("sub")?.Value == "ann").Should().Be(1);
        redemptions.Count(redemption => redemption.Failure == TicketFailure.Unknown).Should().Be(19);
    }

    [Fact]
    public async Task Key_PastItsLifetime_IsGone()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = Store(server.ConnectionString);
        (await store.TryAddAsync("key", new byte[] { 1 }, TimeSpan.FromMilliseconds(1), Token)).Should().BeTrue();
        await Eventually.TrueAsync(async () => await server.ExecuteAsync("DBSIZE") == ":0");
        (await store.TakeAsync("key", Token)).Should().BeNull();
        (await store.TryAddAsync("key", new byte[] { 2 }, TimeSpan.FromMinutes(1), Token)).Should().BeTrue();
        (await store.TryAddAsync("key", new byte[] { 3 }, TimeSpan.FromMinutes(1), Token)).Should().BeFalse("a key is never used twice");
        (await store.TakeAsync("key", Token))!.Value.ToArray().Should().Equal(2);
    }

    [Fact]
    public async Task Tickets_OfAnotherPrefix_AreNotSeen()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Store(server.ConnectionString, "one");
        await using var two = Store(server.ConnectionString, "two");
        await one.TryAddAsync("key", new byte[] { 1 }, TimeSpan.FromMinutes(1), Token);
        (await two.TakeAsync("key", Token)).Should().BeNull();
    }

    [Fact]
    public async Task Tickets_OnACluster_AreSpreadOverItsServers()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var store = Store(cluster.ConnectionString);
        for (var i = 0; i < 20; i++)
        {
            var ticket = (await Service(store).IssueAsync(Ann, "/live", null, cancellationToken: Token)).Ticket!;
            (await Service(store).RedeemAsync(ticket, "/live", null, Token)).User.Should().NotBeNull();
        }
    }

    [Fact]
    public async Task Store_RedisIsAwayOrFull_SaysSo()
    {
        await using var server = await RedisServer.StartAsync();
        await using var services = new ServiceCollection().AddRedisTickets(server.ConnectionString).BuildServiceProvider();
        var store = services.GetRequiredService<ITicketStore>();
        (await store.TryAddAsync("key", new byte[] { 1 }, TimeSpan.FromMinutes(1), Token)).Should().BeTrue();
        await server.ExecuteAsync("CONFIG SET maxmemory 1");
        (await store.TryAddAsync("other", new byte[] { 1 }, TimeSpan.FromMinutes(1), Token)).Should().BeFalse();
        await server.KillAsync();
        var failure = await FluentActions.Awaiting(() => store.TakeAsync("key", Token).AsTask()).Should().ThrowAsync<TicketStoreException>();
        failure.Which.Message.Should().NotContain("key");
    }

    private static RedisTicketStore Store(string connection, string prefix = "test") =>
        new(new RedisTicketOptions { Configuration = RedisTopicOptions.CreateConfiguration(connection), KeyPrefix = prefix });

    private static TicketService Service(ITicketStore store) => new(store, new TicketOptions { Endpoints = ["/live"] });
}
