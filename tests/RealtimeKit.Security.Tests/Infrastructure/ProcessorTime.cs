using System.Diagnostics;

namespace RealtimeKit.Security.Tests;

/// <summary>How busy the process is: the measure for loops that spin, not for speed.</summary>
internal static class ProcessorTime
{
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// How many processors were busy in the quietest of some moments in which nothing goes on. The runtime still compiles for a while what
    /// ran before; what spins does so for ever.
    /// </summary>
    public static async Task<double> LeastBusyAsync(int moments)
    {
        var least = double.MaxValue;
        for (var i = 0; i < moments && least > 0.1; i++)
        {
            var before = Environment.CpuUsage.TotalTime;
            var startedAt = Stopwatch.GetTimestamp();
            await Task.Delay(Window, Until.Cancelled);
            least = Math.Min(least, (Environment.CpuUsage.TotalTime - before) / Stopwatch.GetElapsedTime(startedAt));
        }

        return least;
    }
}
