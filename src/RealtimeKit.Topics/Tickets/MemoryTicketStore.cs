namespace RealtimeKit.Topics;

/// <summary>
/// Keeps tickets in this process. Bounded: what finds no room is refused, and nothing that was issued is dropped for it. What has expired
/// leaves when room is needed.
/// </summary>
public sealed class MemoryTicketStore : ITicketStore
{
    /// <summary>How many tickets are kept by default: 100,000.</summary>
    public const int DefaultMaxCount = 100_000;

    /// <summary>How many bytes of their values are kept by default: 64 MiB.</summary>
    public const long DefaultMaxBytes = 64 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);

    // In the order in which they were added, which is that of their ends where all live equally long.
    private readonly LinkedList<Entry> _order = [];
    private readonly int _maxCount;
    private readonly long _maxBytes;
    private readonly TimeProvider _clock;
    private long _bytes;

    /// <summary>Creates an empty store.</summary>
    /// <param name="maxCount">How many tickets are kept at most.</param>
    /// <param name="maxBytes">How many bytes of their values are kept at most.</param>
    /// <param name="timeProvider">The clock; the system's where <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound is not positive.</exception>
    public MemoryTicketStore(int maxCount = DefaultMaxCount, long maxBytes = DefaultMaxBytes, TimeProvider? timeProvider = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        _maxCount = maxCount;
        _maxBytes = maxBytes;
        _clock = timeProvider ?? TimeProvider.System;
    }

    /// <summary>How many tickets are kept, those included that have expired and not left yet.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryAddAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        var now = _clock.GetTimestamp();
        var entry = new Entry(key, value, now + (long)(lifetime.TotalSeconds * _clock.TimestampFrequency));
        lock (_lock)
        {
            while (_order.First is { } oldest && oldest.Value.IsOver(now))
                Remove(oldest);
            if (!HasRoom(value.Length))
                RemoveAllOver(now);
            if (!HasRoom(value.Length) || _entries.ContainsKey(key))
                return new ValueTask<bool>(false);
            _entries.Add(key, _order.AddLast(entry));
            _bytes += value.Length;
            return new ValueTask<bool>(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> TakeAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node))
                return default;
            Remove(node);
            return new ValueTask<ReadOnlyMemory<byte>?>(node.Value.IsOver(_clock.GetTimestamp()) ? null : node.Value.Value);
        }
    }

    private bool HasRoom(int length) => _entries.Count < _maxCount && _bytes + length <= _maxBytes;

    // Behind one that lives longer.
    private void RemoveAllOver(long now)
    {
        for (var node = _order.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.IsOver(now))
                Remove(node);
            node = next;
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _order.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= node.Value.Value.Length;
    }

    private readonly record struct Entry(string Key, ReadOnlyMemory<byte> Value, long End)
    {
        public bool IsOver(long now) => now >= End;
    }
}
