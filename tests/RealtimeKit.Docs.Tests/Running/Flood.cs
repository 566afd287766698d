using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Docs.Tests;

internal static class Flood
{
    /// <summary>Sends at most so many messages, without a pause, until the peer has closed.</summary>
    public static async Task UntilClosedAsync(WebSocketConnection connection, int messages, CancellationToken cancel)
    {
        try
        {
            for (var i = 0; i < messages && connection.State == WebSocketState.Open; i++)
                await connection.SendAsync("x", cancel);
        }
        catch (WebSocketException)
        {
            // It was closed meanwhile.
        }

        await foreach (var _ in connection.ReadAllAsync(cancel))
        {
        }
    }
}
