using System.Threading.RateLimiting;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>The limiters that a request's connection shares with others.</summary>
internal sealed class RequestRateLimiter : WebSocketRateLimiter, IDisposable
{
    private const int MaxAtOnce = 16 * 1024;

    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromMilliseconds(100);

    public RateLimitTable.Entry? Messages { get; set; }

    public RateLimitTable.Entry? Bytes { get; set; }

    public RateLimitTable.Entry? ControlFrames { get; set; }

    public override bool TryAcquire(WebSocketRateLimitKind kind, int count, out TimeSpan retryAfter)
    {
        retryAfter = default;
        var entry = kind switch
        {
            WebSocketRateLimitKind.Messages => Messages,
            WebSocketRateLimitKind.Bytes => Bytes,
            _ => ControlFrames,
        };
        if (entry is null)
            return true;
        using var lease = entry.Limiter.AttemptAcquire(count);
        if (lease.IsAcquired)
            return true;
        retryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : DefaultRetryAfter;
        return false;
    }

    /// <summary>Takes more permits than are asked for at once. Those before a refusal stay taken.</summary>
    public bool TryAcquireAll(WebSocketRateLimitKind kind, int count, out TimeSpan retryAfter)
    {
        retryAfter = default;
        for (var left = count; left > 0; left -= MaxAtOnce)
        {
            if (!TryAcquire(kind, Math.Min(left, MaxAtOnce), out retryAfter))
                return false;
        }

        return true;
    }

    public void Dispose()
    {
        Messages?.Close();
        Bytes?.Close();
        ControlFrames?.Close();
        Messages = Bytes = ControlFrames = null;
    }
}
