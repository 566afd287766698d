namespace RealtimeKit.WebSockets;

/// <summary>
/// Limits what arrives beyond the connection's own limits: all connections of a user together, for example. The packages for hosts plug
/// <c>System.Threading.RateLimiting</c> in here.
/// </summary>
/// <remarks>
/// It is asked on the connection's receiving path, for every message: it must be quick, must neither block nor use the connection, and should
/// not allocate. It is asked by one thread at a time for one connection, and by several where connections share it. Where it throws, the
/// connection is closed as if it had refused.
/// </remarks>
public abstract class WebSocketRateLimiter
{
    /// <summary>Takes permits, if there are enough.</summary>
    /// <param name="kind">What has arrived.</param>
    /// <param name="count">How much of it, in messages, frames or bytes: at least 1; for bytes at most 16,384 at once.</param>
    /// <param name="retryAfter">
    /// After a refusal, when it is worthwhile to ask again, which happens where the connection throttles; between 1 ms and 10 s.
    /// </param>
    /// <returns>Whether they are taken.</returns>
    public abstract bool TryAcquire(WebSocketRateLimitKind kind, int count, out TimeSpan retryAfter);
}
