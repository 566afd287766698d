using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await TicketSite.StartAsync(app =>
        {
/*SNIPPET*/
        });
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws($"/chat?ticket={await TicketSite.TicketAsync(site, "/chat")}"), null, cancel);
        await socket.SendAsync($"ticket {await TicketSite.TicketAsync(site, "/chat")}", cancel);
        var used = await TicketSite.TicketAsync(site, "/chat");
        await socket.SendAsync($"ticket {used}", cancel);
        await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, cancellationToken: cancel);

        // Both were taken: neither opens a connection any more.
        var again = () => WebSocketClient.ConnectAsync(site.Ws($"/chat?ticket={used}"), null, cancel);
        await again.Should().ThrowAsync<WebSocketConnectException>();
    }

    private static bool IsTicket(WebSocketMessage message, out string ticket)
    {
        var text = message.GetText();
        ticket = text.StartsWith("ticket ", StringComparison.Ordinal) ? text["ticket ".Length..] : "";
        return ticket.Length > 0;
    }
}
