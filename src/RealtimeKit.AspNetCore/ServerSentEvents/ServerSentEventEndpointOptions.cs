using Microsoft.AspNetCore.Http;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// How an endpoint's event streams behave. Every value has a safe default and is validated where it is set. Immutable: one instance may
/// serve any number of endpoints and streams.
/// </summary>
public sealed class ServerSentEventEndpointOptions
{
    private PreparedServerSentEvent? _opening;

    internal static ServerSentEventEndpointOptions Default { get; } = new();

    /// <summary>
    /// Which web pages may open a stream. Default: those of the same origin. Others are refused with 403 before anything runs on their
    /// behalf; those allowed by <see cref="OriginPolicy.Only"/> or <see cref="OriginPolicy.Any"/> get the CORS headers by which their
    /// browser lets them read the stream.
    /// </summary>
    public OriginPolicy Origins { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = OriginPolicy.SameOrigin;

    /// <summary>
    /// Whether pages of the other origins that <see cref="Origins"/> lists may send cookies along (<c>withCredentials</c>). Default:
    /// <see langword="false"/>. Without effect under <see cref="OriginPolicy.Any"/>: every site's page could then act as the user.
    /// </summary>
    public bool AllowCredentials { get; init; }

    /// <summary>
    /// Asked before a stream starts, when the status may still be chosen; <see langword="null"/>, the default, for all. Where it answers
    /// <see langword="false"/>, the response is refused with the status that it has set, or else with 204: a browser's
    /// <c>EventSource</c> then never comes back (WHATWG HTML §9.2.3), as it must not once there is nothing left to send.
    /// </summary>
    public Func<ServerSentEventRequest, HttpContext, ValueTask<bool>>? Accept { get; init; }

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
    /// Default: 30 s; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public TimeSpan WriteTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(30);

    /// <summary>The clock of heartbeats, ages and timeouts. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;

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
