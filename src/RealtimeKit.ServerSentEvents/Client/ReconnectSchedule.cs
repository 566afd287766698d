namespace RealtimeKit.ServerSentEvents;

/// <summary>Counts failures and says how long to wait: the server's time, doubled with each further failure, with jitter on top.</summary>
internal sealed class ReconnectSchedule(ServerSentEventClientOptions options)
{
    public int Failures { get; private set; }

    public void CountSuccess() => Failures = 0;

    public void CountFailure() => Failures++;

    public TimeSpan GetDelay(TimeSpan? serverRetry, TimeSpan? retryAfter)
    {
        var least = Min(serverRetry ?? options.ReconnectDelay, options.MaxServerDelay);
        var most = least > options.MaxReconnectDelay ? least : options.MaxReconnectDelay;

        // Doubling from 1 ms so that "retry: 0" does not hammer a server that is down.
        var doublings = Math.Clamp(Failures - 1, 0, 30);
        var start = doublings > 0 && least < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : least;
        var factor = Math.Pow(2, doublings);
        var delay = start < most / factor ? start * factor : most;   // not Min: an hour doubled thirty times is no TimeSpan
        if (retryAfter is { } asked && Min(asked, options.MaxServerDelay) is var after && after > delay)
            delay = after;

        // Jitter only lengthens: WHATWG HTML §9.2.3 waits at least the reconnection time.
        return delay * (1 + (options.Jitter * Random.Shared.NextDouble()));
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
