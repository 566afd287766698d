using System.Diagnostics;

namespace RealtimeKit.Benchmarks.EndToEnd;

internal static class Clock
{
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    /// <summary>Monotonic time in nanoseconds.</summary>
    public static long Nanoseconds => (long)(Stopwatch.GetTimestamp() * NanosecondsPerTick);
}
