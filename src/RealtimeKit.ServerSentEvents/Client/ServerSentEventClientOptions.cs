using System.Diagnostics.Metrics;

namespace RealtimeKit.ServerSentEvents;

/// <summary>How a <see cref="ServerSentEventClient"/> connects and reconnects. Immutable: one instance may serve any number of clients.</summary>
public sealed class ServerSentEventClientOptions
{
    /// <summary>The request's method. Default: GET.</summary>
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>Makes the body of each request, reconnects included, since a content is sent once; null, the default, for none.</summary>
    public Func<HttpContent>? CreateContent { get; init; }

    /// <summary>Changes each request before it is sent: headers, a fresh token. Null, the default, for nothing.</summary>
    public Func<HttpRequestMessage, CancellationToken, ValueTask>? ConfigureRequest { get; init; }

    /// <summary>The id to resume after with the first request; null, the default, for none.</summary>
    /// <exception cref="ArgumentException">The id contains CR, LF or NUL.</exception>
    public string? LastEventId
    {
        get;
        init
        {
            ServerSentEventFormatter.Validate(null, value, null);
            field = value;
        }
    }

    /// <summary>
    /// Whether to connect again when a connection ends. Null, the default, means: for GET and HEAD, because sending another request
    /// twice may do its work twice.
    /// </summary>
    public bool? Reconnect { get; init; }

    /// <summary>How long to wait before connecting again, until the server names a time. Default: 3 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan ReconnectDelay { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The longest wait that repeated failures lead to, each doubling the wait before it. Default: 30 s. A server that names a longer
    /// time is obeyed up to <see cref="MaxServerDelay"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan MaxReconnectDelay { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait that a server can ask for with <c>retry</c> or <c>Retry-After</c>. Default: 10 min.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or more than 24 days.</exception>
    public TimeSpan MaxServerDelay
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(24));
            field = NotNegative(value);
        }
    } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// By what part of itself a wait may be longer, at random, so that the clients of a server that went down do not all come back at
    /// once. Never shorter: the time that a server names is the least. Default: 0.25; 0 to 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside 0 to 1.</exception>
    public double Jitter
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 0);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    } = 0.25;

    /// <summary>
    /// How long a connection must have been open for its end not to count as one more failure. Default: 10 s. A stream that the server
    /// ends in an orderly way after an event is no failure however short it was.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan ResetThreshold { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(10);

    /// <summary>How many failures in a row end the enumeration with the last one's error; null, the default, for any number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int? MaxFailures
    {
        get;
        init
        {
            if (value is { } count)
                ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
            field = value;
        }
    }

    /// <summary>How long to wait for an answer's headers. Default: 30 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative and not infinite.</exception>
    public TimeSpan ConnectTimeout { get; init => field = NotNegativeOrInfinite(value); } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long nothing may arrive, comments included, before the connection is taken for dead. Default: 5 min, which suits servers that
    /// send heartbeats.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative and not infinite.</exception>
    public TimeSpan ReadTimeout { get; init => field = NotNegativeOrInfinite(value); } = TimeSpan.FromMinutes(5);

    /// <summary>Limits on what the server may make the client hold.</summary>
    public ServerSentEventParserOptions Parser { get; init; } = ServerSentEventParserOptions.Default;

    /// <summary>Called with each comment's text, in the order of the stream; null for nobody.</summary>
    public Action<string>? OnComment { get; init; }

    /// <summary>Called with each reconnection time that the server names, in the order of the stream; null for nobody.</summary>
    public Action<TimeSpan>? OnRetry { get; init; }

    /// <summary>The clock of delays and timeouts. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Makes the meter <c>RealtimeKit.ServerSentEvents</c> that the client's connects and reconnects are counted with; null, the default,
    /// for the process's own.
    /// </summary>
    public IMeterFactory? MeterFactory { get; init; }

    private static TimeSpan NotNegative(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        return value;
    }

    private static TimeSpan NotNegativeOrInfinite(TimeSpan value) => value == Timeout.InfiniteTimeSpan ? value : NotNegative(value);
}
