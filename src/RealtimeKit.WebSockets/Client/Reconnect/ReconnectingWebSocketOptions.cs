using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>How a <see cref="ReconnectingWebSocket"/> connects and connects again. Copied when it is created.</summary>
public sealed class ReconnectingWebSocketOptions
{
    /// <summary>How each connection is made; its <see cref="WebSocketConnectionOptions.TimeProvider"/> is also the clock of the delays.</summary>
    public WebSocketClientOptions Client { get; private set; } = new();

    /// <summary>The delay after the first failure, before jitter. Default: 1 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 2^31 - 1 ms (24.8 days).</exception>
    public TimeSpan MinDelay { get; set => field = Positive(value); } = TimeSpan.FromSeconds(1);

    /// <summary>The longest delay, before jitter. Default: 30 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 2^31 - 1 ms (24.8 days).</exception>
    public TimeSpan MaxDelay { get; set => field = Positive(value); } = TimeSpan.FromSeconds(30);

    /// <summary>By how much the delay grows with each failure in a row. Default: 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 or not a number.</exception>
    public double BackoffFactor
    {
        get;
        set
        {
            if (!(value >= 1))
                throw new ArgumentOutOfRangeException(nameof(value), value, "The delay does not shrink.");
            field = value;
        }
    } = 2;

    /// <summary>
    /// The share of each delay that is left to chance, between 0 and 1, so that clients that lost their server together do not come
    /// back together. Default: 0.5, a delay between half of it and all of it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 1.</exception>
    public double Jitter
    {
        get;
        set
        {
            if (value is not (>= 0 and <= 1))
                throw new ArgumentOutOfRangeException(nameof(value), value, "A share is between 0 and 1.");
            field = value;
        }
    } = 0.5;

    /// <summary>How long a connection must have lasted for the next delay to be <see cref="MinDelay"/> again. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 2^31 - 1 ms (24.8 days).</exception>
    public TimeSpan ResetThreshold { get; set => field = Positive(value); } = TimeSpan.FromSeconds(10);

    /// <summary>The longest <c>Retry-After</c> of a server that is obeyed; a longer one is cut to it. Default: 5 minutes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 2^31 - 1 ms (24.8 days).</exception>
    public TimeSpan MaxRetryAfter { get; set => field = Positive(value); } = TimeSpan.FromMinutes(5);

    /// <summary>How many failures in a row end it. Default: no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxFailures { get; set => field = Positive(value); } = int.MaxValue;

    /// <summary>Whether a send waits for the next connection where there is none; otherwise it fails at once. Default: <see langword="true"/>.</summary>
    public bool SendsWait { get; set; } = true;

    /// <summary>How many sends may wait for a connection at a time; one more fails. Default: 1,024.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxWaitingSends { get; set => field = Positive(value); } = 1024;

    /// <summary>
    /// Called before each connect, to renew a token or to change the server. Where it is set, one 401 in a row is no permanent error: the
    /// callback gets the chance to bring something better. What it throws ends the socket. Default: none.
    /// </summary>
    public Func<WebSocketConnectAttempt, CancellationToken, ValueTask>? OnConnecting { get; set; }

    /// <summary>
    /// Called with each new connection before anybody else may use it, to log in or to subscribe again. It may send and receive. An
    /// <see cref="IOException"/> or a <see cref="System.Net.WebSockets.WebSocketException"/> counts as a lost connection; anything else that
    /// it throws ends the socket. Default: none.
    /// </summary>
    public Func<WebSocketConnection, CancellationToken, ValueTask>? OnConnected { get; set; }

    /// <summary>
    /// Decides whether to connect again. Default: <see cref="WebSocketDisconnect.IsTransient"/>. That is so after a lost connection; after
    /// a close by the peer, unless with 1000 or with a code that would come again (1002, 1003, 1007–1010, 3000, 3003); and after a connect
    /// that failed for a transient reason.
    /// </summary>
    public Func<WebSocketDisconnect, bool>? ShouldReconnect { get; set; }

    internal Func<Uri, WebSocketClientOptions, CancellationToken, Task<WebSocketConnection>> Connect { get; set; } = WebSocketClient.ConnectAsync;

    internal Func<double> Chance { get; set; } = Random.Shared.NextDouble;

    internal ReconnectingWebSocketOptions Clone()
    {
        var copy = (ReconnectingWebSocketOptions)MemberwiseClone();
        copy.Client = Client.Clone();
        return copy;
    }

    /// <summary>The delay after so many failures in a row.</summary>
    internal TimeSpan GetDelay(int failures, TimeSpan? retryAfter)
    {
        var longest = Math.Min(MinDelay.TotalSeconds * Math.Pow(BackoffFactor, failures - 1), Math.Max(MaxDelay.TotalSeconds, MinDelay.TotalSeconds));
        var delay = TimeSpan.FromSeconds(longest * (1 - Jitter * Chance()));
        // All who were told the same time are spread behind it.
        return retryAfter is { } asked ? delay + (asked < MaxRetryAfter ? asked : MaxRetryAfter) : delay;
    }

    private static TimeSpan Positive(TimeSpan value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        // The sum of two is waited for, which must not be more than a timer of .NET can.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(int.MaxValue), name);
        return value;
    }

    private static int Positive(int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, name);
        return value;
    }
}
