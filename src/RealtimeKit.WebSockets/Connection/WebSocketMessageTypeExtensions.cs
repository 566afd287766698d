using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>The BCL's message types (0, 1, 2) as opcodes (1, 2, 8) and back.</summary>
internal static class WebSocketMessageTypeExtensions
{
    public static WebSocketOpcode ToOpcode(this WebSocketMessageType type) => type switch
    {
        WebSocketMessageType.Text => WebSocketOpcode.Text,
        WebSocketMessageType.Binary => WebSocketOpcode.Binary,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "A message is text or binary; CloseAsync sends the Close frame."),
    };

    public static WebSocketMessageType ToMessageType(this WebSocketOpcode opcode) =>
        opcode == WebSocketOpcode.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
}
