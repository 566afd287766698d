using System.Security.Claims;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("room", room => room.Presence = true));
        await using var site = await Site.StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, context.Request.Query["name"]!)], "test"));
                return next(context);
            });
/*SNIPPET*/
        });
        await using var ada = await WebSocketClient.ConnectAsync(site.Ws("/room?name=Ada"), null, cancel);
        while ((await hub.Presence.ListAsync("room", cancel)).Count == 0)
            await Task.Delay(10, cancel);
        (await hub.Presence.ListAsync("room", cancel)).Should().ContainSingle().Which.UserId.Should().Be("Ada");
        await ada.SendAsync("hello", cancel);
        (await ada.ReceiveAsync(cancel)).GetText().Should().Be("hello");
        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ByUser("Ada"), "enough", cancel);
        (await ada.ReceiveAsync(cancel)).Type.Should().Be(System.Net.WebSockets.WebSocketMessageType.Close);
        (ada.CloseResult!.Value.Code, ada.CloseResult!.Value.Reason).Should().Be((1008, "enough"));
        while ((await hub.Presence.ListAsync("room", cancel)).Count > 0)
            await Task.Delay(10, cancel);
    }
}
