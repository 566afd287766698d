using System.Security.Claims;
using RealtimeKit.Listener.Tests.Topics;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener.Tests.Security;

public class TicketTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task RedeemTicket_AsAuthentication_LetsTheUserInOnce()
    {
        var tickets = new TicketService(new MemoryTicketStore(), new TicketOptions { Endpoints = ["/live"] });
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes, endpoint: options => options.Authenticate = context => context.RedeemTicketAsync(tickets, "/live"));
        var ann = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ann")], "test"));
        var ticket = (await tickets.IssueAsync(ann, "/live", "https://page.example", cancellationToken: Until.Cancelled)).Ticket;
        (await server.ConnectStatusAsync("/live?topic=a")).Should().Be(401);
        using (var events = await TopicEvents.OpenAsync(server, $"/live?topic=a&ticket={ticket}", ("Sec-Fetch-Site", "same-origin")))
            (await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByUser("ann"))).Should().ContainSingle();
        (await server.ConnectStatusAsync($"/live?topic=a&ticket={ticket}")).Should().Be(401, "it was used");
        var foreign = (await tickets.IssueAsync(ann, "/live", "https://page.example", cancellationToken: Until.Cancelled)).Ticket;
        (await server.ConnectStatusAsync($"/live?topic=a&ticket={foreign}", ("Origin", $"http://127.0.0.1:{server.Port}"))).Should().Be(401, "it is another page's");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task RedeemTicket_StoreIsAway_Answers503AndNobodyGetsIn()
    {
        var tickets = new TicketService(new AwayStore(), new TicketOptions { Endpoints = ["/live"] });
        await using var server = await TopicsServer.StartAsync(
            Wire.Pipes, TopicsServer.AllowPublish, options => options.Authenticate = context => context.RedeemTicketAsync(tickets, "/live"));
        var query = $"?topic=a&ticket={new string('A', 43)}";
        (await server.ConnectStatusAsync($"/live{query}")).Should().Be(503);
        (await TopicEvents.StatusAsync(server, $"/live{query}")).Should().Be(503);
        using var publish = await server.PostAsync($"/live{query}", "x");
        publish.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        (await server.Hub().Connections.ListAsync(TopicConnectionSelector.ByTopic("a"))).Should().BeEmpty();
    }

    private sealed class AwayStore : ITicketStore
    {
        public ValueTask<bool> TryAddAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken cancellationToken) =>
            throw new TicketStoreException("The store is away.");

        public ValueTask<ReadOnlyMemory<byte>?> TakeAsync(string key, CancellationToken cancellationToken) =>
            throw new TicketStoreException("The store is away.");
    }
}
