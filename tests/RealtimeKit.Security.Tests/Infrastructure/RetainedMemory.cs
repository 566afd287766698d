namespace RealtimeKit.Security.Tests;

/// <summary>What the process holds on to after a collection, with both ends of every connection in it.</summary>
internal static class RetainedMemory
{
    public const long KiB = 1024;

    public const long MiB = 1024 * KiB;

    public static long Measure()
    {
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>What has come to it since. What others of the process happen to hold for a moment is waited out, for up to a second.</summary>
    public static long Since(long before)
    {
        var since = Measure() - before;
        for (var tries = 0; since > MiB && tries < 10; tries++)
        {
            Thread.Sleep(100);
            since = Math.Min(since, Measure() - before);
        }

        return since;
    }
}
