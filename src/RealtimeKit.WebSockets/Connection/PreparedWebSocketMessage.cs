using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A message that is encoded once and sent to any number of connections (a broadcast): immutable and garbage-collected, one
/// allocation when it is made and none when it is sent.
/// </summary>
public sealed class PreparedWebSocketMessage
{
    private readonly byte[] _frame;
    private readonly int _headerLength;

    /// <summary>Encodes a message.</summary>
    /// <param name="payload">The payload, which is copied.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <exception cref="ArgumentOutOfRangeException">The type is neither text nor binary.</exception>
    public PreparedWebSocketMessage(ReadOnlySpan<byte> payload, WebSocketMessageType type)
    {
        Type = type;
        var header = new WebSocketFrameHeader { IsFinal = true, Opcode = type.ToOpcode(), PayloadLength = payload.Length };
        _frame = GC.AllocateUninitializedArray<byte>(header.Length + payload.Length);
        header.TryWrite(_frame, out _headerLength);
        payload.CopyTo(_frame.AsSpan(_headerLength));
    }

    /// <summary>Encodes a text message.</summary>
    /// <param name="text">The text.</param>
    public PreparedWebSocketMessage(string text)
        : this(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text)
    {
    }

    /// <summary>Text or binary.</summary>
    public WebSocketMessageType Type { get; }

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Payload => _frame.AsMemory(_headerLength);

    /// <summary>The whole frame as a server sends it: final and unmasked.</summary>
    internal ReadOnlyMemory<byte> Frame => _frame;
}
