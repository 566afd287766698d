namespace RealtimeKit.Soak;

/// <summary>Pressure on the collector, and full collections.</summary>
internal static class Garbage
{
    /// <summary>64 MiB in pieces of all generations and the large heap, then a collection that moves everything.</summary>
    public static void Make()
    {
        var some = new List<byte[]>();
        for (var i = 0; i < 512; i++)
        {
            var piece = new byte[i % 8 == 0 ? 512 * 1024 : 64 * 1024];
            if (i % 16 == 0)
                some.Add(piece);
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.KeepAlive(some);
    }

    /// <summary>Bytes in objects that the last collection of all generations has left.</summary>
    public static long Heap
    {
        get
        {
            var last = GC.GetGCMemoryInfo(GCKind.FullBlocking);
            return last.HeapSizeBytes - last.FragmentedBytes;
        }
    }

    public static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
