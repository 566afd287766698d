namespace RealtimeKit.WebSockets;

/// <summary>The rule that a peer has broken. One value for each rule; see <see cref="WebSocketProtocolErrorExtensions"/> for its clause and close code.</summary>
public enum WebSocketProtocolError : byte
{
    /// <summary>No rule is broken.</summary>
    None,

    /// <summary>A reserved bit is set that no negotiated extension defines for this frame (RFC 6455 §5.2, RFC 7692 §6).</summary>
    ReservedBit,

    /// <summary>The opcode is one of the reserved ones, 0x3–0x7 or 0xB–0xF (RFC 6455 §5.2).</summary>
    ReservedOpcode,

    /// <summary>A client sent an unmasked frame (RFC 6455 §5.1).</summary>
    MaskRequired,

    /// <summary>A server sent a masked frame (RFC 6455 §5.1).</summary>
    MaskForbidden,

    /// <summary>A control frame carries more than 125 bytes (RFC 6455 §5.5).</summary>
    ControlTooLong,

    /// <summary>A control frame is fragmented (RFC 6455 §5.5).</summary>
    ControlFragmented,

    /// <summary>A continuation frame came while no message was in progress (RFC 6455 §5.4).</summary>
    UnexpectedContinuation,

    /// <summary>A new data frame came before the message in progress was finished (RFC 6455 §5.4).</summary>
    ExpectedContinuation,

    /// <summary>The payload length is not encoded in the fewest bytes (RFC 6455 §5.2).</summary>
    NonMinimalLength,

    /// <summary>The most significant bit of a 64-bit payload length is set (RFC 6455 §5.2).</summary>
    LengthOverflow,

    /// <summary>The message is larger than the limit of this endpoint (RFC 6455 §10.4).</summary>
    MessageTooBig,

    /// <summary>The message has more fragments than this endpoint allows, empty ones counted (RFC 6455 §10.4).</summary>
    TooManyFragments,

    /// <summary>A text message is not valid UTF-8 (RFC 6455 §8.1).</summary>
    InvalidUtf8,

    /// <summary>A close frame carries a single byte, which cannot hold a code (RFC 6455 §5.5.1).</summary>
    CloseLengthOne,

    /// <summary>A close frame carries a code that must not stand on the wire (RFC 6455 §7.4).</summary>
    CloseCodeInvalid,

    /// <summary>The reason in a close frame is not valid UTF-8 (RFC 6455 §5.5.1, §8.1).</summary>
    CloseReasonInvalidUtf8,

    /// <summary>Control frames come faster than this endpoint allows (RFC 6455 §10.4).</summary>
    ControlRateExceeded,

    /// <summary>A message was begun and not finished in the time that this endpoint allows (RFC 6455 §10.4).</summary>
    MessageTimeout,

    /// <summary>The transport ended without a close frame, perhaps inside a frame or a message (RFC 6455 §7.1.5).</summary>
    UnexpectedEndOfStream,

    /// <summary>The payload of a compressed message is not what a compressor makes (RFC 7692 §7.2.2).</summary>
    InvalidCompressedData,

    /// <summary>A compressed message inflates to more than this endpoint allows for its size on the wire (RFC 7692 §8).</summary>
    InflateRatioExceeded,

    /// <summary>Messages come faster than this endpoint allows (RFC 6455 §10.4).</summary>
    MessageRateExceeded,

    /// <summary>Bytes come faster than this endpoint allows (RFC 6455 §10.4).</summary>
    ByteRateExceeded,

    /// <summary>No message came in the time that this endpoint allows for the first (RFC 6455 §10.4).</summary>
    FirstMessageTimeout,

    /// <summary>What has arrived and is not consumed takes more memory than this endpoint allows (RFC 6455 §10.4).</summary>
    RetainedMemoryExceeded,
}
