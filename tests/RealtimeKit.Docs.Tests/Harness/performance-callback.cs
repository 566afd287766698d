using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var (client, connection) = WebSocketConnection.CreatePair();
        await SendAsync(connection, 1.5f);
        BinaryPrimitives.ReadSingleLittleEndian((await client.ReceiveAsync(cancel)).ToArray()).Should().Be(1.5f);
        await client.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static async Task SendAsync(WebSocketConnection connection, float position)
    {
/*SNIPPET*/
    }
}
