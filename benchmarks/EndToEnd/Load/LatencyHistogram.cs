using System.Numerics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Counts durations in buckets whose width is 1/32 of their value. What began before the histogram is left out: it waited while
/// the counters were read.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int SubCount = 1 << SubBits;

    private readonly long[] _buckets = new long[(64 - SubBits + 1) * SubCount];
    private readonly long _since = Clock.Nanoseconds;
    private long _count;

    public void Add(long from, long to)
    {
        if (from < _since)
            return;
        var value = (ulong)Math.Max(to - from, 0);
        var shift = Math.Max(0, BitOperations.Log2(value | 1) - SubBits);
        _buckets[(shift * SubCount) + (int)(value >> shift)]++;
        _count++;
    }

    /// <summary>The upper edge of the bucket that holds this quantile.</summary>
    public double Microseconds(double quantile)
    {
        var rank = (long)Math.Ceiling(_count * quantile);
        for (var i = 0; i < _buckets.Length; i++)
        {
            rank -= _buckets[i];
            if (rank <= 0)
            {
                // Indexes from SubCount on carry the leading bit too.
                var shift = Math.Max(0, (i / SubCount) - 1);
                return ((((long)(i - (shift * SubCount))) + 1) << shift) / 1000.0;
            }
        }
        return 0;
    }
}
