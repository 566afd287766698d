using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>A part of a message, from <see cref="WebSocketConnection.ReadAsync"/>; valid until <see cref="WebSocketConnection.AdvanceTo"/>.</summary>
public readonly struct WebSocketReadResult
{
    private readonly WebSocketConnection? _owner;
    private readonly uint _version;

    internal WebSocketReadResult(WebSocketConnection owner, uint version, WebSocketMessageType type, bool endOfMessage)
    {
        _owner = owner;
        _version = version;
        MessageType = type;
        IsEndOfMessage = endOfMessage;
    }

    /// <summary>
    /// The unconsumed bytes of the message that have arrived, unmasked. Text is validated as it arrives, but a part may end
    /// inside a UTF-8 sequence.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="WebSocketConnection.AdvanceTo"/> has given the bytes back.</exception>
    public ReadOnlySequence<byte> Payload => _owner is null ? ReadOnlySequence<byte>.Empty : _owner.GetLentPayload(_version);

    /// <summary>The type of the message; <see cref="WebSocketMessageType.Close"/> once the connection has ended.</summary>
    public WebSocketMessageType MessageType { get; }

    /// <summary>Whether <see cref="Payload"/> reaches to the end of the message.</summary>
    public bool IsEndOfMessage { get; }
}
