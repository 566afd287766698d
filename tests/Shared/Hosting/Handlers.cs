using RealtimeKit.WebSockets;

namespace RealtimeKit.Tests;

internal static class Handlers
{
    public static async Task EchoAsync(WebSocketConnection connection)
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    }
}
