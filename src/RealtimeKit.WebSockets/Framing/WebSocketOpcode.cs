namespace RealtimeKit.WebSockets;

/// <summary>What a frame carries (RFC 6455 §5.2). Every other value of the four bits is reserved.</summary>
public enum WebSocketOpcode : byte
{
    /// <summary>A further fragment of the message in progress (RFC 6455 §5.4).</summary>
    Continuation = 0x0,

    /// <summary>A text message, or its first fragment: UTF-8 (RFC 6455 §5.6).</summary>
    Text = 0x1,

    /// <summary>A binary message, or its first fragment (RFC 6455 §5.6).</summary>
    Binary = 0x2,

    /// <summary>A close frame: nothing, or a code and a reason (RFC 6455 §5.5.1).</summary>
    Close = 0x8,

    /// <summary>A ping, to be answered by a pong with the same payload (RFC 6455 §5.5.2).</summary>
    Ping = 0x9,

    /// <summary>A pong, the answer to a ping or unsolicited (RFC 6455 §5.5.3).</summary>
    Pong = 0xA,
}
