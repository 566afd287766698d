using System.Net.WebSockets;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
/*SNIPPET*/
        await using var site = await Site.StartAsync(app => app.MapWebSocket("/chat", options, async connection =>
        {
            await foreach (var _ in connection.ReadAllAsync())
            {
            }
        }));
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/chat"), null, cancel);
        await Flood.UntilClosedAsync(socket, 1000, cancel);
        socket.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.PolicyViolation);
    }
}
