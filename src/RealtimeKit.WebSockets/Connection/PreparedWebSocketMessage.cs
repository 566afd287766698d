using System.Net.WebSockets;
using System.Numerics;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A message that is encoded once and sent to any number of connections (a broadcast): immutable and garbage-collected. It is
/// encoded when it is made, and compressed when it is first sent to a connection that negotiated permessage-deflate without context
/// takeover; all of those with windows that differ in nothing for its length share the result. Sending allocates nothing more.
/// </summary>
public sealed class PreparedWebSocketMessage
{
    // One for each window; made at most once more than needed when several threads come first.
    private PreparedWebSocketForm?[]? _compressed;

    /// <summary>Encodes a message.</summary>
    /// <param name="payload">The payload, which is copied.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <exception cref="ArgumentOutOfRangeException">The type is neither text nor binary.</exception>
    public PreparedWebSocketMessage(ReadOnlySpan<byte> payload, WebSocketMessageType type)
        : this(payload, type, WebSocketMessageFlags.None)
    {
    }

    /// <summary>Encodes a message, with flags.</summary>
    /// <param name="payload">The payload, which is copied.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <param name="flags">
    /// <see cref="WebSocketMessageFlags.DisableCompression"/> keeps the message out of permessage-deflate;
    /// <see cref="WebSocketMessageFlags.EndOfMessage"/> changes nothing.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The type is neither text nor binary.</exception>
    public PreparedWebSocketMessage(ReadOnlySpan<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags)
    {
        Type = type;
        Flags = flags;
        Plain = new PreparedWebSocketForm(payload, type, isCompressed: false);
    }

    /// <summary>Encodes a text message.</summary>
    /// <param name="text">The text.</param>
    public PreparedWebSocketMessage(string text)
        : this(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text)
    {
    }

    /// <summary>Text or binary.</summary>
    public WebSocketMessageType Type { get; }

    /// <summary>The payload, not compressed.</summary>
    public ReadOnlyMemory<byte> Payload => Plain.Payload;

    internal WebSocketMessageFlags Flags { get; }

    internal PreparedWebSocketForm Plain { get; }

    /// <summary>The form for connections without context takeover; <see cref="Plain"/> where compressing does not make it smaller.</summary>
    internal PreparedWebSocketForm Compress(int windowBits)
    {
        // A window that holds the whole message is as good as any larger one.
        var length = Math.Max(Payload.Length, 1);
        var needed = BitOperations.Log2((uint)length - 1 | 1) + 1;
        windowBits = Math.Clamp(needed, PerMessageDeflateParameters.MinWindowBits, windowBits);

        var forms = Volatile.Read(ref _compressed);
        if (forms is null)
        {
            var created = new PreparedWebSocketForm?[PerMessageDeflateParameters.MaxWindowBits - PerMessageDeflateParameters.MinWindowBits + 1];
            forms = Interlocked.CompareExchange(ref _compressed, created, null) ?? created;
        }

        ref var form = ref forms[windowBits - PerMessageDeflateParameters.MinWindowBits];
        if (Volatile.Read(ref form) is { } ready)
            return ready;
        var made = CreateCompressed(windowBits);
        return Interlocked.CompareExchange(ref form, made, null) ?? made;
    }

    private PreparedWebSocketForm CreateCompressed(int windowBits)
    {
        var compressed = PooledBufferWriter.Rent();
        try
        {
            return PerMessageDeflateSession.TryCompress(Payload.Span, compressed, windowBits)
                ? new PreparedWebSocketForm(compressed.WrittenMemory.Span, Type, isCompressed: true)
                : Plain;
        }
        finally
        {
            compressed.Return();
        }
    }
}
