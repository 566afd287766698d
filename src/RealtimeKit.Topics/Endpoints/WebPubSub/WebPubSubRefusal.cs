using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>A connection that cannot be recovered: 1008 makes the client stop trying and begin anew.</summary>
/// <param name="message">What the client is told.</param>
internal sealed class WebPubSubRefusal(string message) : ITopicSession
{
    public async Task RunAsync(WebSocketConnection connection)
    {
        try
        {
            await connection.SendAsync(WebPubSubMessages.CreateDisconnected(message), WebSocketMessageType.Text).ConfigureAwait(false);
            await connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, message).ConfigureAwait(false);
        }
        catch (WebSocketException)
        {
            // It has gone by itself.
        }
    }

    public ValueTask DisposeAsync() => default;
}
