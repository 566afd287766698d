using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The limits and deadlines of a connection. Every value has a safe default and is validated where it is set; a connection
/// copies the options when it is created, so later changes do not reach it.
/// </summary>
public sealed partial class WebSocketConnectionOptions
{
    /// <summary>Which side of the connection this is: a client masks what it sends, a server must not (RFC 6455 §5.1). Default: server.</summary>
    public WebSocketRole Role { get; set; } = WebSocketRole.Server;

    /// <summary>The subprotocol that the handshake agreed on (RFC 6455 §1.9). Default: none.</summary>
    public string? SubProtocol { get; set; }

    /// <summary>
    /// What this side wants of permessage-deflate (RFC 7692); the handshake negotiates with it. <see langword="null"/>, the default,
    /// turns compression off.
    /// </summary>
    public PerMessageDeflateOptions? Compression { get; set; }

    /// <summary>
    /// What the handshake agreed on about permessage-deflate, for a connection that is created after a handshake of one's own.
    /// Adapters and clients of this library set it themselves. Default: nothing, no message is compressed.
    /// </summary>
    public PerMessageDeflateParameters? CompressionParameters { get; set; }

    /// <summary>
    /// The largest message that a whole-message receive accepts, in bytes on the wire and inflated. A larger one fails the connection
    /// with 1009 as soon as a header announces it, or as soon as that much is inflated. Default: 1 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 1 GiB.</exception>
    public int MaxMessageSize { get; set => field = InRange(value, 1, 1 << 30); } = 1 << 20;

    /// <summary>
    /// The largest message that <see cref="WebSocketConnection.ReadAsync"/> streams, in bytes on the wire and inflated; such a message is
    /// never held whole. Default: no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long MaxStreamedMessageSize { get; set => field = InRange(value, 1, long.MaxValue); } = long.MaxValue;

    /// <summary>The most frames that one message may be split into, empty ones counted. Default: 1,024.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxFragmentsPerMessage { get; set => field = InRange(value, 1, int.MaxValue); } = 1024;

    /// <summary>
    /// How long a message may take from its first frame to its last, counted while a receive waits for it; for a message that
    /// <see cref="WebSocketConnection.ReadAsync"/> streams, how long the peer may pause inside it.
    /// <see cref="Timeout.InfiniteTimeSpan"/> turns the deadline off. Default: 30 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan MessageTimeout { get; set => field = Deadline(value); } = TimeSpan.FromSeconds(30);

    /// <summary>How many control frames a peer may send per second over time. Default: 10.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ControlFramesPerSecond { get; set => field = InRange(value, 1, 1_000_000); } = 10;

    /// <summary>How many control frames a peer may send at once. Default: 20.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ControlFrameBurst { get; set => field = InRange(value, 1, 1_000_000); } = 20;

    /// <summary>
    /// How much is read ahead, in bytes, while no receive is pending, so that pings, pongs and closes are seen. Default: 16 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 256 bytes or above 1 MiB.</exception>
    public int ReadAheadSize { get; set => field = InRange(value, 256, 1 << 20); } = 16 * 1024;

    /// <summary>
    /// The high-water mark of the send buffer, in bytes: a send that would pass it waits for room. A message that is larger by
    /// itself is admitted when the buffer is empty. Default: 256 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 256 bytes.</exception>
    public int SendBufferSize { get; set => field = InRange(value, 256, 1 << 30); } = 256 * 1024;

    /// <summary>
    /// The largest payload of one frame that is sent, in bytes: a larger message is split into fragments (RFC 6455 §5.4).
    /// Default: no limit, one frame per message.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 125 bytes.</exception>
    public int MaxFrameSize { get; set => field = InRange(value, 125, int.MaxValue); } = int.MaxValue;

    /// <summary>
    /// How long one write to the transport, of at most <see cref="SendBufferSize"/> or 64 KiB, may take before the connection is
    /// aborted: a peer that does not read must not hold memory for ever. <see cref="Timeout.InfiniteTimeSpan"/> turns the deadline off. Default: 30 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan WriteTimeout { get; set => field = Deadline(value); } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the peer may be silent before it is sent a ping. <see cref="Timeout.InfiniteTimeSpan"/> turns keep-alive off.
    /// Default: 25 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan KeepAliveInterval { get; set => field = Deadline(value); } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// How long after such a ping the peer may stay silent before the connection is aborted; any inbound byte counts as life. It counts from
    /// when the ping has been written: behind data that the peer is slow to read it waits, and <see cref="WriteTimeout"/> watches instead.
    /// <see cref="Timeout.InfiniteTimeSpan"/> never gives a peer up. Default: 10 s. As long a <see cref="WebSocketConnection.PingAsync"/> waits
    /// while its pong cannot be read, because nobody receives what lies before it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan KeepAliveTimeout { get; set => field = Deadline(value); } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long <c>CloseAsync</c> waits for the peer's half of the closing handshake; and how long messages that stand before the peer's Close
    /// wait for a receiver, counted from the last receive: past it the Close is answered and what was not received is lost.
    /// <see cref="Timeout.InfiniteTimeSpan"/> turns both deadlines off. Default: 5 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan CloseTimeout { get; set => field = Deadline(value); } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the transport stays open when the connection is disposed. Default: <see langword="false"/>, the connection owns it.</summary>
    public bool LeaveOpen { get; set; }

    /// <summary>The clock of every deadline. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;

    /// <summary>
    /// The host's factory of meters, for the meter <c>RealtimeKit.WebSockets</c>. An endpoint of <c>RealtimeKit.AspNetCore</c> takes the
    /// one among the application's services. Default: none, which is a meter for the whole process.
    /// </summary>
    public IMeterFactory? MeterFactory { get; set; }

    internal WebSocketConnectionOptions Clone()
    {
        var clone = (WebSocketConnectionOptions)MemberwiseClone();
        clone.Compression = Compression?.Clone();
        return clone;
    }

    private static int InRange(int value, int minimum, int maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }

    private static long InRange(long value, long minimum, long maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }

    // As long as a timer of .NET can wait, which is 49.7 days.
    internal static TimeSpan Deadline(TimeSpan value, [CallerMemberName] string name = "")
    {
        if (value == Timeout.InfiniteTimeSpan)
            return value;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(uint.MaxValue - 1), name);
        return value;
    }
}
