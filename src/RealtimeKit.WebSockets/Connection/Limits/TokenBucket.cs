namespace RealtimeKit.WebSockets;

/// <summary>A token bucket on timestamps. What was taken may exceed what was there: the debt is earned first.</summary>
internal struct TokenBucket(double perTick, long burst, long now)
{
    private double _tokens = burst;
    private long _refilled = now;

    /// <summary>Whether there is at least one token, as of the last refill.</summary>
    public readonly bool HasToken => _tokens >= 1;

    /// <summary>Adds what has been earned. A time before that of the last call adds nothing.</summary>
    public void Refill(long now)
    {
        if (now <= _refilled)
            return;
        _tokens = Math.Min(_tokens + ((now - _refilled) * perTick), burst);
        _refilled = now;
    }

    public void Take(int count) => _tokens -= count;

    /// <summary>How long until there is a token, in timestamps.</summary>
    public readonly double UntilToken => Math.Max((1 - _tokens) / perTick, 0);
}
