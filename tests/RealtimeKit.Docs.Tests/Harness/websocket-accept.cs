using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(app =>
        {
/*SNIPPET*/
        });
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/rooms/blue"), null, cancel);
        (await socket.ReceiveAsync(cancel)).GetText().Should().Be("welcome to blue");
        ((int)(await site.Http.GetAsync(site.Uri("/rooms/blue"), cancel)).StatusCode).Should().Be(426, "the request was answered");
    }
}
