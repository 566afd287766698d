using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Unicode;

namespace RealtimeKit.WebSockets;

/// <summary>What a close frame carries: nothing, or a code and a reason (RFC 6455 §5.5.1).</summary>
public readonly ref struct WebSocketClosePayload
{
    /// <summary>The longest payload in bytes, as of every control frame (RFC 6455 §5.5).</summary>
    public const int MaxLength = 125;

    /// <summary>The longest reason in bytes of UTF-8: what the code leaves.</summary>
    public const int MaxReasonLength = MaxLength - sizeof(ushort);

    private WebSocketClosePayload(WebSocketCloseStatus status, ReadOnlySpan<byte> reason)
    {
        Status = status;
        Reason = reason;
    }

    /// <summary>Gets the code; null where the payload is empty, which is reported as 1005 (RFC 6455 §7.1.5).</summary>
    public WebSocketCloseStatus? Status { get; }

    /// <summary>Gets the reason, valid UTF-8, perhaps empty. It lies in the payload that was read.</summary>
    public ReadOnlySpan<byte> Reason { get; }

    /// <summary>Gets the reason as a string: the only member that allocates.</summary>
    /// <returns>The reason, perhaps empty.</returns>
    public string GetReason() => Encoding.UTF8.GetString(Reason);

    /// <summary>Reads and checks the payload of a close frame (RFC 6455 §5.5.1, §7.4, §8.1).</summary>
    /// <param name="payload">The whole payload, unmasked.</param>
    /// <param name="close">The code and the reason, or the default value.</param>
    /// <returns>
    /// <see cref="WebSocketProtocolError.None"/>, <see cref="WebSocketProtocolError.CloseLengthOne"/>,
    /// <see cref="WebSocketProtocolError.CloseCodeInvalid"/>, <see cref="WebSocketProtocolError.CloseReasonInvalidUtf8"/> or, beyond
    /// <see cref="MaxLength"/>, <see cref="WebSocketProtocolError.ControlTooLong"/>.
    /// </returns>
    public static WebSocketProtocolError Read(ReadOnlySpan<byte> payload, out WebSocketClosePayload close)
    {
        close = default;
        if (payload.IsEmpty)
            return WebSocketProtocolError.None;
        if (payload.Length == 1)
            return WebSocketProtocolError.CloseLengthOne;
        if (payload.Length > MaxLength)
            return WebSocketProtocolError.ControlTooLong;

        var status = (WebSocketCloseStatus)BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (!status.IsAllowedOnWire())
            return WebSocketProtocolError.CloseCodeInvalid;

        var reason = payload[sizeof(ushort)..];
        if (!WebSocketUtf8Validator.IsValid(reason))
            return WebSocketProtocolError.CloseReasonInvalidUtf8;

        close = new WebSocketClosePayload(status, reason);
        return WebSocketProtocolError.None;
    }

    /// <summary>Writes the payload of a close frame.</summary>
    /// <param name="destination">Receives the payload; <see cref="MaxLength"/> bytes are always enough.</param>
    /// <param name="status">The code.</param>
    /// <param name="reason">The reason, at most <see cref="MaxReasonLength"/> bytes as UTF-8. An unpaired surrogate becomes U+FFFD.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The code must not stand in a close frame (RFC 6455 §7.4).</exception>
    /// <exception cref="ArgumentException">The reason is too long, or <paramref name="destination"/> too short.</exception>
    public static int Write(Span<byte> destination, WebSocketCloseStatus status, ReadOnlySpan<char> reason)
    {
        if (!status.IsAllowedOnWire())
            throw new ArgumentOutOfRangeException(nameof(status), status, "The code must not stand in a close frame (RFC 6455 §7.4).");

        // Into a buffer of its own first, so that a reason that is too long and a destination that is too short are told apart.
        Span<byte> utf8 = stackalloc byte[MaxReasonLength];
        if (Utf8.FromUtf16(reason, utf8, out _, out var length) != OperationStatus.Done)
            throw new ArgumentException($"The reason is longer than {MaxReasonLength} bytes of UTF-8 (RFC 6455 §5.5).", nameof(reason));
        if (destination.Length < sizeof(ushort) + length)
            throw new ArgumentException("The destination is shorter than the payload.", nameof(destination));

        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)status);
        utf8[..length].CopyTo(destination[sizeof(ushort)..]);
        return sizeof(ushort) + length;
    }
}
