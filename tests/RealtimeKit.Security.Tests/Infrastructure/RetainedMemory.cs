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

    public static long Since(long before) => Measure() - before;
}
