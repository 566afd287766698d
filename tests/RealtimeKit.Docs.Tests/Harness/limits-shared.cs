using System.Net.WebSockets;
using System.Threading.RateLimiting;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(
            app =>
            {
/*SNIPPET*/
            },
            builder => builder.Services.AddTopics());
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/chat"), null, cancel);
        await using var other = await WebSocketClient.ConnectAsync(site.Ws("/live?topic=a"), null, cancel);
        await Flood.UntilClosedAsync(socket, 2000, cancel);
        socket.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.PolicyViolation);
        await Flood.UntilClosedAsync(other, 2000, cancel);
        other.CloseResult!.Value.Status.Should().Be(WebSocketCloseStatus.PolicyViolation);
    }

    private static async Task HandleAsync(WebSocketConnection connection)
    {
        await foreach (var _ in connection.ReadAllAsync())
        {
        }
    }
}
