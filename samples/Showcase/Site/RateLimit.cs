using System.Diagnostics;

namespace RealtimeKit.Samples.Showcase;

/// <summary>So many a second, and a few more at once.</summary>
internal sealed class RateLimit(double perSecond, double burst)
{
    private readonly Lock _lock = new();
    private double _taken;
    private long _at = Stopwatch.GetTimestamp();

    public bool TryTake()
    {
        lock (_lock)
        {
            var now = Stopwatch.GetTimestamp();
            _taken = Math.Max(0, _taken - Stopwatch.GetElapsedTime(_at, now).TotalSeconds * perSecond);
            _at = now;
            if (_taken + 1 > burst)
                return false;
            _taken++;
            return true;
        }
    }
}
