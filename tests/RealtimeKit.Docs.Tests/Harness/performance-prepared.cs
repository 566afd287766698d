using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var pairs = new[] { WebSocketConnection.CreatePair(), WebSocketConnection.CreatePair() };
        var connections = pairs.Select(pair => pair.Server);
        await SendAsync(connections);
        foreach (var (client, server) in pairs)
        {
            (await client.ReceiveAsync(cancel)).GetText().Should().Be("the same to everybody");
            await client.DisposeAsync();
            await server.DisposeAsync();
        }
    }

    private static async Task SendAsync(IEnumerable<WebSocketConnection> connections)
    {
/*SNIPPET*/
    }
}
