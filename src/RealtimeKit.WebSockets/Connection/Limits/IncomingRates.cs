namespace RealtimeKit.WebSockets;

/// <summary>The limits on what a peer sends per second; a connection without such limits has none of these. Used under the input gate.</summary>
internal sealed class IncomingRates : IDisposable
{
    // A limiter may have fewer permits than one read brings.
    private const int MaxBytesAtOnce = 16 * 1024;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _clock;
    private readonly WebSocketRateLimiter? _limiter;
    private readonly bool _limitsMessages;
    private readonly bool _limitsBytes;
    private TokenBucket _messages;
    private TokenBucket _bytes;
    private ITimer? _wait;   // made with the first wait
    private bool _isWaiting;
    private long _owed;   // bytes that were read and that the limiter has not granted

    private IncomingRates(WebSocketConnectionOptions options, WebSocketRateLimiter? limiter, long now)
    {
        _clock = options.TimeProvider;
        _limiter = limiter;
        Throttles = options.RateLimitAction == WebSocketRateLimitAction.Throttle;
        if (options.MessagesPerSecond is { } messages)
        {
            _limitsMessages = true;
            _messages = new TokenBucket((double)messages / _clock.TimestampFrequency, options.MessageBurst ?? messages, now);
        }

        if (options.BytesPerSecond is { } bytes)
        {
            _limitsBytes = true;
            _bytes = new TokenBucket((double)bytes / _clock.TimestampFrequency, options.ByteBurst ?? Math.Max(bytes, WebSocketConnectionOptions.LeastByteBurst), now);
        }
    }

    /// <summary>Whether what is too much waits, instead of ending the connection.</summary>
    public bool Throttles { get; private set; }

    /// <summary>Which limit has refused last.</summary>
    public WebSocketProtocolError Refusal { get; private set; }

    /// <summary>When to try again after a refusal.</summary>
    public TimeSpan RetryAfter { get; private set; }

    /// <returns><see langword="null"/> where nothing is limited.</returns>
    public static IncomingRates? Create(WebSocketConnectionOptions options, WebSocketRateLimiter? limiter, long now) =>
        limiter is null && options is { MessagesPerSecond: null, BytesPerSecond: null } ? null : new IncomingRates(options, limiter, now);

    /// <summary>A message begins.</summary>
    /// <param name="now">When its first byte was read, or later.</param>
    /// <returns>Whether it may.</returns>
    public bool TryTakeMessage(long now)
    {
        if (_owed > 0 && !TryPay())
            return false;
        if (_limitsMessages)
        {
            _messages.Refill(now);
            if (!_messages.HasToken)
                _messages.Refill(_clock.GetTimestamp());
            if (!_messages.HasToken)
                return Refuse(WebSocketProtocolError.MessageRateExceeded, Until(_messages));
        }

        if (_limiter is not null && !Ask(WebSocketRateLimitKind.Messages, 1, WebSocketProtocolError.MessageRateExceeded))
            return false;
        _messages.Take(1);
        return true;
    }

    /// <summary>A ping or pong has come. It never waits: a late answer is as bad as none.</summary>
    /// <returns>Whether it may be answered.</returns>
    public bool TryTakeControl() => _limiter is null || Ask(WebSocketRateLimitKind.ControlFrames, 1, WebSocketProtocolError.ControlRateExceeded);

    /// <summary>Bytes were read.</summary>
    public void TakeBytes(int count, long now)
    {
        if (_limitsBytes)
        {
            _bytes.Refill(now);
            _bytes.Take(count);
        }

        if (_limiter is null)
            return;
        _owed += count;
        TryPay();
    }

    /// <summary>Whether more may be read: what was read before is paid for.</summary>
    public bool TryRead()
    {
        if (_owed > 0 && !TryPay())
            return false;
        if (!_limitsBytes || _bytes.HasToken)
            return true;
        _bytes.Refill(_clock.GetTimestamp());
        return _bytes.HasToken || Refuse(WebSocketProtocolError.ByteRateExceeded, Until(_bytes));
    }

    /// <summary>Begins to wait as long as the last refusal says, where nobody waits yet.</summary>
    /// <returns>Whether the wait has begun here.</returns>
    public bool TryBeginWait(TimerCallback ended, object state)
    {
        if (_isWaiting)
            return false;
        _isWaiting = true;
        if (_wait is not null)
        {
            _wait.Change(RetryAfter, Timeout.InfiniteTimeSpan);
            return true;
        }

        // The timer must not keep the ExecutionContext of whoever happens to receive.
        using (ExecutionContext.IsFlowSuppressed() ? (AsyncFlowControl?)null : ExecutionContext.SuppressFlow())
            _wait = _clock.CreateTimer(ended, state, RetryAfter, Timeout.InfiniteTimeSpan);
        return true;
    }

    public void EndWait() => _isWaiting = false;

    public void Dispose() => _wait?.Dispose();

    private bool TryPay()
    {
        while (_owed > 0)
        {
            var count = (int)Math.Min(_owed, MaxBytesAtOnce);
            if (!Ask(WebSocketRateLimitKind.Bytes, count, WebSocketProtocolError.ByteRateExceeded))
                return false;
            _owed -= count;
        }

        return true;
    }

    // Foreign code under the gate, which it is told not to abuse: asking later would mean to look at the payload first.
    private bool Ask(WebSocketRateLimitKind kind, int count, WebSocketProtocolError refusal)
    {
        try
        {
            return _limiter!.TryAcquire(kind, count, out var retryAfter) || Refuse(refusal, retryAfter);
        }
        catch (Exception)
        {
            Throttles = false;   // whatever is wrong with it, waiting would not help
            return Refuse(refusal, default);
        }
    }

    private TimeSpan Until(in TokenBucket bucket) => TimeSpan.FromSeconds(bucket.UntilToken / _clock.TimestampFrequency);

    private bool Refuse(WebSocketProtocolError refusal, TimeSpan retryAfter)
    {
        Refusal = refusal;
        RetryAfter = TimeSpan.FromTicks(Math.Clamp(retryAfter.Ticks, ShortestWait.Ticks, LongestWait.Ticks));
        return false;
    }
}
