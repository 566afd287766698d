using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>What a <see cref="WebSocketProtocolError"/> means on the wire and to a reader of logs.</summary>
public static class WebSocketProtocolErrorExtensions
{
    // RFC 6455 §7.1.5: stands for "no close frame was received"; §7.4.1: must never be sent.
    private const WebSocketCloseStatus AbnormalClosure = (WebSocketCloseStatus)1006;

    /// <summary>Gets the code of the close frame that answers the error (RFC 6455 §7.4.1).</summary>
    /// <param name="error">The error.</param>
    /// <returns>
    /// 1002, 1007, 1008 or 1009. <see cref="WebSocketProtocolError.UnexpectedEndOfStream"/> gives 1006, which is only ever reported
    /// and never sent; <see cref="WebSocketProtocolError.None"/> gives 1000.
    /// </returns>
    public static WebSocketCloseStatus GetCloseStatus(this WebSocketProtocolError error) => error switch
    {
        WebSocketProtocolError.None => WebSocketCloseStatus.NormalClosure,
        WebSocketProtocolError.InvalidUtf8 or
        WebSocketProtocolError.InvalidCompressedData or
        WebSocketProtocolError.CloseReasonInvalidUtf8 => WebSocketCloseStatus.InvalidPayloadData,
        WebSocketProtocolError.MessageTooBig or
        WebSocketProtocolError.RetainedMemoryExceeded or
        WebSocketProtocolError.InflateRatioExceeded => WebSocketCloseStatus.MessageTooBig,
        WebSocketProtocolError.TooManyFragments or
        WebSocketProtocolError.ControlRateExceeded or
        WebSocketProtocolError.MessageRateExceeded or
        WebSocketProtocolError.ByteRateExceeded or
        WebSocketProtocolError.FirstMessageTimeout or
        WebSocketProtocolError.MessageTimeout => WebSocketCloseStatus.PolicyViolation,
        WebSocketProtocolError.UnexpectedEndOfStream => AbnormalClosure,
        _ => WebSocketCloseStatus.ProtocolError,
    };

    /// <summary>Gets one sentence that names the clause and the rule. The string is a constant: asking allocates nothing.</summary>
    /// <param name="error">The error.</param>
    /// <returns>A text such as <c>RFC 6455 §5.5: control frames are never fragmented.</c></returns>
    public static string GetDescription(this WebSocketProtocolError error) => error switch
    {
        WebSocketProtocolError.None => "No protocol error.",
        WebSocketProtocolError.ReservedBit => "RFC 6455 §5.2: reserved bits are 0 unless a negotiated extension defines them.",
        WebSocketProtocolError.ReservedOpcode => "RFC 6455 §5.2: opcodes 0x3–0x7 and 0xB–0xF are reserved.",
        WebSocketProtocolError.MaskRequired => "RFC 6455 §5.1: a client masks every frame.",
        WebSocketProtocolError.MaskForbidden => "RFC 6455 §5.1: a server masks no frame.",
        WebSocketProtocolError.ControlTooLong => "RFC 6455 §5.5: control frames carry at most 125 bytes.",
        WebSocketProtocolError.ControlFragmented => "RFC 6455 §5.5: control frames are never fragmented.",
        WebSocketProtocolError.UnexpectedContinuation => "RFC 6455 §5.4: a continuation frame follows the first frame of a message.",
        WebSocketProtocolError.ExpectedContinuation => "RFC 6455 §5.4: a message is finished before the next one begins.",
        WebSocketProtocolError.NonMinimalLength => "RFC 6455 §5.2: the payload length takes the fewest bytes that hold it.",
        WebSocketProtocolError.LengthOverflow => "RFC 6455 §5.2: the most significant bit of a 64-bit payload length is 0.",
        WebSocketProtocolError.MessageTooBig => "RFC 6455 §10.4: the message is larger than this endpoint allows.",
        WebSocketProtocolError.TooManyFragments => "RFC 6455 §10.4: the message has more fragments than this endpoint allows.",
        WebSocketProtocolError.InvalidUtf8 => "RFC 6455 §8.1: a text message is valid UTF-8.",
        WebSocketProtocolError.CloseLengthOne => "RFC 6455 §5.5.1: the body of a close frame is empty or begins with a 2-byte code.",
        WebSocketProtocolError.CloseCodeInvalid => "RFC 6455 §7.4: the close code is not one that may be sent.",
        WebSocketProtocolError.CloseReasonInvalidUtf8 => "RFC 6455 §5.5.1: the reason of a close frame is valid UTF-8.",
        WebSocketProtocolError.ControlRateExceeded => "RFC 6455 §10.4: control frames come faster than this endpoint allows.",
        WebSocketProtocolError.MessageTimeout => "RFC 6455 §10.4: a message was not finished in the time that this endpoint allows.",
        WebSocketProtocolError.UnexpectedEndOfStream => "RFC 6455 §7.1.5: the connection ended without a close frame.",
        WebSocketProtocolError.InvalidCompressedData => "RFC 7692 §7.2.2: the payload of a compressed message is valid DEFLATE data.",
        WebSocketProtocolError.InflateRatioExceeded => "RFC 7692 §8: the message inflates to more than this endpoint allows for its size.",
        WebSocketProtocolError.MessageRateExceeded => "RFC 6455 §10.4: messages come faster than this endpoint allows.",
        WebSocketProtocolError.ByteRateExceeded => "RFC 6455 §10.4: bytes come faster than this endpoint allows.",
        WebSocketProtocolError.FirstMessageTimeout => "RFC 6455 §10.4: no message came in the time that this endpoint allows for the first.",
        WebSocketProtocolError.RetainedMemoryExceeded => "RFC 6455 §10.4: what has arrived takes more memory than this endpoint allows.",
        _ => "Unknown protocol error.",
    };
}
