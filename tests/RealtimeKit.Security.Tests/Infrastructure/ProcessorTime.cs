using System.Runtime.InteropServices;

namespace RealtimeKit.Security.Tests;

/// <summary>How busy the process is: the measure for loops that spin, not for speed.</summary>
internal static class ProcessorTime
{
    private const int ThreadProcessorTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux

    private static readonly TimeSpan Share = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// What the process used while one thread that never waits used 1, in the quietest of some moments in which nothing goes on. Both get less
    /// on a busy machine. The runtime still compiles for a while what ran before; what spins does so for ever.
    /// </summary>
    public static async Task<double> LeastBusyAsync(int moments)
    {
        var least = double.MaxValue;
        for (var i = 0; i < moments && least > 0.1; i++)
            least = Math.Min(least, await Task.Factory.StartNew(MeasureBesideOneThatSpins, Until.Cancelled, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        return least;
    }

    private static double MeasureBesideOneThatSpins()
    {
        var startedAt = ThisThread();
        var before = Environment.CpuUsage.TotalTime;
        while (ThisThread() - startedAt < Share)
            Thread.SpinWait(1000);
        var own = ThisThread() - startedAt;
        return (Environment.CpuUsage.TotalTime - before - own) / own;
    }

    private static TimeSpan ThisThread()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the processor time of one thread is read from Linux");
        return clock_gettime(ThreadProcessorTime, out var time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick)
            : throw new InvalidOperationException($"clock_gettime failed with {Marshal.GetLastPInvokeError()}.");
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int clock_gettime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
