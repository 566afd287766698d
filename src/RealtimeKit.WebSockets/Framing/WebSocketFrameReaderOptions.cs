namespace RealtimeKit.WebSockets;

/// <summary>What a <see cref="WebSocketFrameReader"/> accepts. The default value has the defaults given below.</summary>
public readonly struct WebSocketFrameReaderOptions
{
    private const long DefaultMaximumMessageLength = 1024 * 1024;
    private const int DefaultMaximumFragments = 1024;

    // Distances from the defaults, so that the default value of the struct has them.
    private readonly long _maximumMessageLength;
    private readonly int _maximumFragments;

    /// <summary>Gets the role of the reader. The default is the server, which reads masked frames.</summary>
    public WebSocketRole Role { get; init; }

    /// <summary>
    /// Gets whether permessage-deflate is negotiated, so that RSV1 may mark a message as compressed (RFC 7692 §6). The reader neither
    /// inflates such a message nor validates its text. The default is false.
    /// </summary>
    public bool AllowsRsv1 { get; init; }

    /// <summary>Gets the limit of a message on the wire in bytes, all fragments together. The default is 1 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaximumMessageLength
    {
        get => _maximumMessageLength + DefaultMaximumMessageLength;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maximumMessageLength = value - DefaultMaximumMessageLength;
        }
    }

    /// <summary>Gets how many frames a message may have, empty ones counted. The default is 1,024.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaximumFragments
    {
        get => _maximumFragments + DefaultMaximumFragments;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maximumFragments = value - DefaultMaximumFragments;
        }
    }
}
