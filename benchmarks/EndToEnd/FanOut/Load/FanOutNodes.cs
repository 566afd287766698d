namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The servers of one fan-out, usually one; their counters together. Everything is published by the first.</summary>
internal sealed class FanOutNodes(int[] ports) : IDisposable
{
    private readonly StatsClient[] _clients = [.. ports.Select(port => new StatsClient(port))];

    public int Count => ports.Length;

    public int Publisher => ports[0];

    /// <summary>The port for this subscriber; they take turns.</summary>
    public int PortFor(int subscriber) => ports[subscriber % ports.Length];

    public ServerStats Get(string path)
    {
        var all = _clients.Select(client => client.Get(path)).ToArray();
        return all.Length == 1 ? all[0] : new ServerStats(
            all.Sum(stats => stats.CpuSeconds),
            all.Sum(stats => stats.AllocatedBytes),
            all.Sum(stats => stats.Gen0),
            all.Sum(stats => stats.HeapBytes),
            all.Sum(stats => stats.PinnedBytes),
            all.Sum(stats => stats.CommittedBytes),
            all.Sum(stats => stats.WorkingSetBytes),
            all.Sum(stats => stats.AnonymousBytes),
            all.Sum(stats => stats.Descriptors));
    }

    /// <summary>Waits until this many subscribers are there, on all nodes together.</summary>
    public FanOutState WaitForSubscribers(int count)
    {
        for (var tries = 0; ; tries++)
        {
            var states = _clients.Select(client => client.Get<FanOutState>("/state")).ToArray();
            var there = states.Sum(state => state.Subscribers);
            if (there == count)
                return states[0];
            if (tries == 2_000)
                throw new BenchmarkException($"The server has {there} subscribers instead of {count}");
            Thread.Sleep(5);
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients)
            client.Dispose();
    }
}
