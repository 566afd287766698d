using System.Threading.RateLimiting;

namespace RealtimeKit;

/// <summary>
/// The limiters of one kind by their keys. As <see cref="PartitionedRateLimiter{TResource}"/>, but a connection looks its limiter up once and
/// keeps it, so that asking costs no key, no lookup and no allocation.
/// </summary>
internal sealed class RateLimitTable
{
    // Limiters of partitions do not replenish themselves.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private Timer? _timer;

    /// <summary>How many limiters there are.</summary>
    public int Count
    {
        get
        {
            lock (_entries)
                return _entries.Count;
        }
    }

    /// <summary>The limiter of a partition, which stays until it is closed.</summary>
    public Entry Open(RateLimitPartition<string> partition)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue(partition.PartitionKey, out var entry))
            {
                entry = new Entry(this, partition.PartitionKey, partition.Factory(partition.PartitionKey));
                _entries.Add(entry.Key, entry);
                _timer ??= CreateTimer();
            }

            entry.Users++;
            return entry;
        }
    }

    private Timer CreateTimer()
    {
        using (ExecutionContext.IsFlowSuppressed() ? (AsyncFlowControl?)null : ExecutionContext.SuppressFlow())
            return new Timer(static table => ((RateLimitTable)table!).OnHeartbeat(), this, Heartbeat, Heartbeat);
    }

    private void OnHeartbeat()
    {
        lock (_entries)
        {
            foreach (var entry in _entries.Values)
            {
                if (entry.Limiter is ReplenishingRateLimiter { IsAutoReplenishing: false } replenishing)
                    replenishing.TryReplenish();

                if (entry.Users > 0 || !IsForgettable(entry.Limiter))
                    continue;
                _entries.Remove(entry.Key);   // which an enumeration allows
                entry.Limiter.Dispose();
            }

            if (_entries.Count > 0)
                return;
            _timer?.Dispose();
            _timer = null;
        }
    }

    // One that is not full again must be found again: its user may come back. One without a limit is never idle, and as good anew.
    private static bool IsForgettable(RateLimiter limiter) => limiter.IdleDuration is { } idle
        ? idle >= IdleTimeout
        : limiter.GetStatistics() is { CurrentAvailablePermits: long.MaxValue };

    private void Close(Entry entry)
    {
        lock (_entries)
            entry.Users--;
    }

    /// <summary>A limiter and how many use it.</summary>
    internal sealed class Entry(RateLimitTable table, string key, RateLimiter limiter)
    {
        public string Key => key;

        public RateLimiter Limiter => limiter;

        public int Users { get; set; }

        public void Close() => table.Close(this);
    }
}
