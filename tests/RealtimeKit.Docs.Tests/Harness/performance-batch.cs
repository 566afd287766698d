using System.Net.WebSockets;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var (client, connection) = WebSocketConnection.CreatePair();
        byte[][] updates = [[1], [2], [3]];
/*SNIPPET*/
        foreach (var update in updates)
            (await client.ReceiveAsync(cancel)).ToArray().Should().Equal(update);
        await client.DisposeAsync();
        await connection.DisposeAsync();
    }
}
