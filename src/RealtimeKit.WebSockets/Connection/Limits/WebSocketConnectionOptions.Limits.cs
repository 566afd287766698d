namespace RealtimeKit.WebSockets;

public sealed partial class WebSocketConnectionOptions
{
    internal const long LeastByteBurst = 64 * 1024;
    internal const long LeastRetainedBytes = 64 * 1024;

    /// <summary>
    /// How many messages a peer may send per second over time, empty and compressed ones counted; the frames of one message have
    /// <see cref="MaxFragmentsPerMessage"/>. Default: <see langword="null"/>, no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MessagesPerSecond { get; set => field = Positive(value); }

    /// <summary>How many messages a peer may send at once. Default: <see langword="null"/>, as many as in a second.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MessageBurst { get; set => field = Positive(value); }

    /// <summary>
    /// How many bytes a peer may send per second over time, as they stand on the wire: headers count, and compressed payload counts as it is
    /// compressed. Default: <see langword="null"/>, no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long? BytesPerSecond { get; set => field = Positive(value); }

    /// <summary>
    /// How many bytes a peer may send at once. What has been read when the burst is used up, at most one read, is still dispatched; no more
    /// is read before it is earned. Default: <see langword="null"/>, as many as in a second, and at least 64 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long? ByteBurst { get; set => field = Positive(value); }

    /// <summary>
    /// What happens to a peer that exceeds <see cref="MessagesPerSecond"/>, <see cref="BytesPerSecond"/> or, for messages and bytes,
    /// <see cref="RateLimiter"/>. Too many control frames always end the connection. Default: <see cref="WebSocketRateLimitAction.Close"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public WebSocketRateLimitAction RateLimitAction
    {
        get;
        set => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>
    /// Limits what arrives further, for one connection or for all that share it. The endpoints of the packages for hosts set one of their own
    /// where they have rate limits. Default: none.
    /// </summary>
    public WebSocketRateLimiter? RateLimiter { get; set; }

    /// <summary>
    /// How long a peer may take to its first message, whole, from the handshake on: for protocols that authenticate in band. Past it the
    /// connection is failed with 1008. It pauses while this side does not read. Default: <see cref="Timeout.InfiniteTimeSpan"/>, no deadline.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan FirstMessageTimeout { get; set => field = Deadline(value); } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// The most memory, in bytes, that receiving may hold for a peer: what has arrived and is not consumed, whole and in parts, and what is
    /// inflated of it. Past it the connection is failed with 1009. Default: <see langword="null"/>, four times <see cref="MaxMessageSize"/>
    /// and at least 4 MiB, which only a receiver that reads parts and does not consume them can reach.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 64 KiB.</exception>
    public long? MaxRetainedBytes
    {
        get;
        set
        {
            if (value is { } bytes)
                ArgumentOutOfRangeException.ThrowIfLessThan(bytes, LeastRetainedBytes, nameof(MaxRetainedBytes));
            field = value;
        }
    }

    /// <summary>
    /// The memory that this connection shares with others; once it is used up, those that hold most are closed with 1013. An endpoint of
    /// <c>RealtimeKit.AspNetCore</c> takes the one among the application's services. Default: none.
    /// </summary>
    public RealtimeMemoryBudget? MemoryBudget { get; set; }

    internal long RetainedLimit => MaxRetainedBytes ?? Math.Max(4L * MaxMessageSize, 4 << 20);

    private static int? Positive(int? value, [System.Runtime.CompilerServices.CallerMemberName] string name = "")
    {
        if (value is { } number)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number, name);
        return value;
    }

    private static long? Positive(long? value, [System.Runtime.CompilerServices.CallerMemberName] string name = "")
    {
        if (value is { } number)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number, name);
        return value;
    }
}
