using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.Tests;

internal static class ClientWebSocketExtensions
{
    public static Task SendTextAsync(this WebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, Until.Cancelled);

    public static async Task<(WebSocketMessageType Type, byte[] Payload)> ReceiveMessageAsync(this WebSocket socket)
    {
        var payload = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(), Until.Cancelled);
            payload.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
                return (result.MessageType, payload.ToArray());
        }
    }

    public static async Task<string> ReceiveTextAsync(this WebSocket socket)
    {
        var (type, payload) = await socket.ReceiveMessageAsync();
        type.Should().Be(WebSocketMessageType.Text);
        return Encoding.UTF8.GetString(payload);
    }
}
