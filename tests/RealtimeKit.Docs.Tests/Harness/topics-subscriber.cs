using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var hub = new TopicHub();
        await using var site = await Site.StartAsync(app =>
        {
/*SNIPPET*/
        });
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/scores"), null, cancel);
        await socket.SendAsync("mine", cancel);
        (await socket.ReceiveAsync(cancel)).GetText().Should().Be("mine");
        await hub.PublishAsync("scores/42", "2:1", cancellationToken: cancel);
        (await socket.ReceiveAsync(cancel)).GetText().Should().Be("2:1");
    }
}
