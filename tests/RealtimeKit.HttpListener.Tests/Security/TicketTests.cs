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
}
