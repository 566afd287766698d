namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// What <c>GET /stats</c> and <c>GET /gc</c> answer. Counters run since the process began. Memory stands in the answer of <c>/gc</c>
/// alone: reading it allocates, which <c>/stats</c> must not within the window that it opens.
/// </summary>
/// <param name="CpuSeconds">User and kernel time of all threads, from getrusage.</param>
/// <param name="AllocatedBytes">Bytes ever allocated on the managed heap, exact.</param>
/// <param name="Gen0">Collections of generation 0.</param>
/// <param name="HeapBytes">Managed bytes in use.</param>
/// <param name="PinnedBytes">Of those, in the pinned heap: Kestrel's pool of buffers, free or not.</param>
/// <param name="CommittedBytes">Bytes that the collector has committed, as of its last run.</param>
/// <param name="WorkingSetBytes">Resident memory (VmRSS).</param>
/// <param name="AnonymousBytes">Resident memory that no file backs (RssAnon): the process's own.</param>
/// <param name="Descriptors">Open file descriptors, by which the client sees when closed connections have gone.</param>
internal sealed record ServerStats(
    double CpuSeconds,
    long AllocatedBytes,
    int Gen0,
    long HeapBytes,
    long PinnedBytes,
    long CommittedBytes,
    long WorkingSetBytes,
    long AnonymousBytes,
    int Descriptors)
{
    public static ServerStats Read() => new(
        Environment.CpuUsage.TotalTime.TotalSeconds,
        GC.GetTotalAllocatedBytes(precise: true),
        GC.CollectionCount(0),
        HeapBytes: 0,
        PinnedBytes: 0,
        CommittedBytes: 0,
        WorkingSetBytes: 0,
        AnonymousBytes: 0,
        Descriptors: 0);

    public static ServerStats CollectAndRead()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        var heap = GC.GetTotalMemory(forceFullCollection: false);
        var (resident, anonymous) = ReadResident();
        return Read() with
        {
            HeapBytes = heap,
            PinnedBytes = GC.GetGCMemoryInfo(GCKind.FullBlocking).GenerationInfo[4].SizeAfterBytes,
            CommittedBytes = GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes,
            WorkingSetBytes = resident,
            AnonymousBytes = anonymous,
            Descriptors = Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(),
        };
    }

    private static (long Resident, long Anonymous) ReadResident()
    {
        long resident = 0, anonymous = 0;
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                resident = Kilobytes(line);
            else if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                anonymous = Kilobytes(line);
        }
        return (resident, anonymous);

        static long Kilobytes(string line) =>
            1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
