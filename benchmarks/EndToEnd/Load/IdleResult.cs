namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The server's memory before and with idle connections; <c>idle</c> prints it as one line of JSON.</summary>
internal sealed record IdleResult(int Connections, ServerStats Before, ServerStats After)
{
    public double HeapPerConnection => PerConnection(stats => stats.HeapBytes);

    /// <summary>Managed objects without the pinned ones, which are buffers of Kestrel's pool, free or not.</summary>
    public double ObjectsPerConnection => PerConnection(stats => stats.HeapBytes - stats.PinnedBytes);

    public double CommittedPerConnection => PerConnection(stats => stats.CommittedBytes);

    public double AnonymousPerConnection => PerConnection(stats => stats.AnonymousBytes);

    public double WorkingSetPerConnection => PerConnection(stats => stats.WorkingSetBytes);

    private double PerConnection(Func<ServerStats, long> value) => (double)(value(After) - value(Before)) / Connections;
}
