using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var said = new TaskCompletionSource<string?>();
        var options = new WebSocketEndpointOptions { SubProtocols = ["chat.v2"], Compression = new() };
        await using var site = await Site.StartAsync(app => app.MapWebSocket("/chat", options, connection =>
        {
            said.SetResult(connection.SubProtocol);
            return Task.CompletedTask;
        }));
        site.UseForSnippets();
/*SNIPPET*/
        connection.SubProtocol.Should().Be("chat.v2");
        (await said.Task.WaitAsync(cancel)).Should().Be("chat.v2");
    }
}
