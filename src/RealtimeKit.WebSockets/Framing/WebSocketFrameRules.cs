namespace RealtimeKit.WebSockets;

/// <summary>
/// What <see cref="WebSocketFrameHeader.Check"/> needs to know about the reader. The default value is a server between two
/// messages, without extensions and without a limit.
/// </summary>
public readonly struct WebSocketFrameRules
{
    // Counted down from long.MaxValue, so that the default value means no limit.
    private readonly long _belowMaximum;

    /// <summary>Gets the role of the reader. A server wants masked frames, a client unmasked ones (RFC 6455 §5.1).</summary>
    public WebSocketRole Role { get; init; }

    /// <summary>Gets whether the first frame of a message has been read and its final frame has not (RFC 6455 §5.4).</summary>
    public bool IsMessageInProgress { get; init; }

    /// <summary>Gets whether RSV1 may be set on the first frame of a message: permessage-deflate is negotiated (RFC 7692 §6).</summary>
    public bool AllowsRsv1 { get; init; }

    /// <summary>
    /// Gets how many bytes a data frame may carry: what is left of the message limit. Longer ones are
    /// <see cref="WebSocketProtocolError.MessageTooBig"/>. The default is <see cref="long.MaxValue"/>. Control frames do not count.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaximumPayloadLength
    {
        get => long.MaxValue - _belowMaximum;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _belowMaximum = long.MaxValue - value;
        }
    }
}
