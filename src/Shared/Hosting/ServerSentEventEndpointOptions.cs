using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

// The half of each host's options that knows nothing of the host.
#if HTTP_LISTENER
namespace System.Net;

public sealed partial class HttpListenerServerSentEventOptions
#else
namespace RealtimeKit.AspNetCore;

public sealed partial class ServerSentEventEndpointOptions
#endif
{
    private PreparedServerSentEvent? _opening;

    /// <summary>
    /// How long a stream may be silent before a heartbeat is sent, so that proxies keep it open and a dead connection is noticed.
    /// Default: 15 s; <see cref="Timeout.InfiniteTimeSpan"/> for none. A stream that has something to say sends none. Timers tick four
    /// times a second.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public TimeSpan HeartbeatInterval { get; init => field = Positive(value); } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How events are written: flushed one by one or in batches, heartbeats as comments or, for pages that watch for them, as named
    /// events (<see cref="ServerSentEventWriterOptions.HeartbeatEventType"/>).
    /// </summary>
    public ServerSentEventWriterOptions Writer { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = new();

    /// <summary>
    /// A comment that opens each stream, at once, before the handler's first event; <see langword="null"/> for none. Default:
    /// <c>open</c>. The headers go out at once in any case. A proxy that holds back the first two kilobytes is satisfied by a comment
    /// of that length.
    /// </summary>
    public string? OpeningComment { get; init; } = "open";

    /// <summary>
    /// How long clients wait before they reconnect, told at each stream's opening, in whole milliseconds. Default: 3 s;
    /// <see langword="null"/> leaves it to the client, with which the time told at a shutdown then stays.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan? Retry
    {
        get;
        init
        {
            if (value is { } time)
                ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(value));
            field = value;
        }
    } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Over how long a time clients spread their return when the host shuts down: each stream ends with a <c>retry</c> of
    /// <see cref="Retry"/> and a random part of this, so that the next server is not met by all at once. Default: 10 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan ShutdownSpread
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How old a stream may grow; then it ends, the client reconnects, and a balancer in front may choose another server. Each stream
    /// ends at a random time in the last tenth of this. Default: 4 hours; <see cref="Timeout.InfiniteTimeSpan"/> for any age.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public TimeSpan MaxAge { get; init => field = Positive(value); } = TimeSpan.FromHours(4);

    /// <summary>
    /// How long a write may wait for a client that does not read, before the connection is aborted; noticed up to a quarter of it late.
    /// Default: 30 s; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. A server's own limits, such as
    /// Kestrel's minimum response rate, apply besides.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public TimeSpan WriteTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(30);

    /// <summary>The clock of heartbeats, ages and timeouts. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;

    /// <summary>Asked after the application, before the stream starts; where it says no, it has written the response.</summary>
    internal Func<ServerSentEventRequest, HostContext, ValueTask<bool>>? Accepting { get; init; }

    internal PreparedServerSentEvent Opening => _opening ??= PreparedServerSentEvent.CreateOpening(OpeningComment, Retry);

    /// <summary>How often a stream is looked at: four times within the shortest of what is watched.</summary>
    internal TimeSpan Step
    {
        get
        {
            var shortest = Math.Min(Quarter(HeartbeatInterval), Quarter(WriteTimeout));
            return TimeSpan.FromTicks(Math.Max(shortest, TimerWheel.Tick.Ticks));

            static long Quarter(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? TimeSpan.TicksPerMinute : time.Ticks / 4;
        }
    }

    private static TimeSpan Positive(TimeSpan value, [System.Runtime.CompilerServices.CallerMemberName] string name = "")
    {
        if (value != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        return value;
    }
}
