namespace RealtimeKit.Topics;

/// <summary>
/// A topic's newest entries on this node, bounded by count, bytes and age, and who waits for the next. An engine appends; subscriptions
/// read. All members are safe from any thread; no reader holds up an append for longer than it takes to copy references.
/// </summary>
public sealed partial class TopicLog
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, TopicEntry>? _newestByKey;   // only where the topic conflates

    // A ring: the oldest entry stands at _head, and the length is a power of two.
    private TopicEntry?[] _ring = [];
    private int _head;
    private int _count;
    private long _bytes;
    private TopicPosition _start;   // after which it was filled: the floor, until an entry is dropped
    private TopicPosition _floor;
    private TopicPosition _last;

    /// <summary>Makes a log. For engines.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="start">The position after which entries will be appended.</param>
    /// <param name="timeProvider">The clock of <see cref="TopicOptions.HistoryAge"/>; the system's where <see langword="null"/>.</param>
    public TopicLog(string topic, TopicOptions options, TopicPosition start, TimeProvider? timeProvider = null)
    {
        TopicName.ThrowIfInvalid(topic, nameof(topic));
        ArgumentNullException.ThrowIfNull(options);
        Topic = topic;
        Options = options;
        _start = _floor = _last = start;
        _clock = timeProvider ?? TimeProvider.System;
        if (options.SlowConsumers == SlowConsumerPolicy.Conflate)
            _newestByKey = new Dictionary<string, TopicEntry>(StringComparer.Ordinal);
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>What holds for the topic.</summary>
    public TopicOptions Options { get; }

    /// <summary>The position of the newest entry, held or not.</summary>
    public TopicPosition Position
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>The position after which every entry up to <see cref="Position"/> is held.</summary>
    public TopicPosition Floor
    {
        get
        {
            lock (_lock)
                return _floor;
        }
    }

    /// <summary>How many entries are held.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>What the entries cost: their payloads, and 256 bytes for each.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>Appends an entry, drops the oldest that no longer fit, and wakes the subscriptions that had caught up, on the pool.</summary>
    /// <param name="entry">The entry. Between it and <see cref="Position"/> nothing may be missing: see <see cref="Reset"/>.</param>
    /// <returns><see langword="false"/> where the log has it already: the entry's offset is not above <see cref="Position"/>.</returns>
    /// <exception cref="ArgumentException">The entry is of another topic or epoch.</exception>
    public bool TryAppend(TopicEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Topic != Topic)
            throw new ArgumentException("The entry is of another topic.", nameof(entry));
        bool wakes;
        lock (_lock)
        {
            if (entry.Position.Epoch != _last.Epoch)
                throw new ArgumentException("The entry is of another epoch: reset the log first.", nameof(entry));
            if (entry.Position.Offset <= _last.Offset)
                return false;
            Append(entry);
            TrimToBounds();
            wakes = TakeWaiting();
        }

        if (wakes)
            StartWaking();
        return true;
    }

    /// <summary>
    /// Empties the log and goes on after another position: in a new epoch, or in the same one after entries that this node will never
    /// have. Subscriptions that are behind it, or in another epoch, ask the engine what they have missed.
    /// </summary>
    /// <param name="start">The position after which entries will be appended.</param>
    public void Reset(TopicPosition start)
    {
        bool wakes;
        lock (_lock)
        {
            Array.Clear(_ring);
            _head = _count = 0;
            _bytes = 0;
            _newestByKey?.Clear();
            _start = _floor = _last = start;
            wakes = TakeWaiting();
        }

        if (wakes)
            StartWaking();
    }

    /// <summary>Drops entries that are too old. <see cref="TryAppend"/> does it too; this is for topics where nothing is published.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            TrimOld();
            if (_count == 0)
                _ring = [];
        }
    }

    /// <summary>Reads the entries after a position, oldest first.</summary>
    /// <param name="after">The position.</param>
    /// <param name="destination">Where to put them.</param>
    /// <param name="count">How many there were and fitted.</param>
    /// <returns>What was found.</returns>
    public TopicLogRead Read(TopicPosition after, Span<TopicEntry> destination, out int count)
    {
        count = 0;
        lock (_lock)
        {
            if (!TryFindAfter(after, out var index))
                return TopicLogRead.OutsideWindow;
            while (index < _count && count < destination.Length)
                destination[count++] = At(index++);
            return after == _last ? TopicLogRead.CaughtUp : TopicLogRead.Entries;
        }
    }

    private TopicEntry At(int index) => _ring[(_head + index) & (_ring.Length - 1)]!;

    private void Append(TopicEntry entry)
    {
        if (_count == _ring.Length)
            Grow();
        _ring[(_head + _count) & (_ring.Length - 1)] = entry;
        _count++;
        _bytes += entry.Cost;
        _last = entry.Position;
        if (_newestByKey is null || entry.Key is null)
            return;
        if (_newestByKey.TryGetValue(entry.Key, out var older))
            older.IsSuperseded = true;
        _newestByKey[entry.Key] = entry;
    }

    private void Grow()
    {
        var larger = new TopicEntry?[Math.Max(_ring.Length * 2, 4)];
        for (var i = 0; i < _count; i++)
            larger[i] = At(i);
        _ring = larger;
        _head = 0;
    }

    // The newest entry stays in any case: whoever has caught up must be able to read it.
    private void TrimToBounds()
    {
        while (_count > 1 && (_count > Options.HistoryCount || _bytes > Options.HistoryBytes))
            DropOldest();
        if (_count > 1)
            TrimOld(keep: 1);
    }

    private void TrimOld(int keep = 0)
    {
        if (Options.HistoryAge == Timeout.InfiniteTimeSpan || _count <= keep)
            return;
        var oldest = _clock.GetUtcNow() - Options.HistoryAge;
        while (_count > keep && At(0).PublishedAt < oldest)
            DropOldest();
    }

    private void DropOldest()
    {
        var entry = At(0);
        _ring[_head] = null;
        _head = (_head + 1) & (_ring.Length - 1);
        _count--;
        _bytes -= entry.Cost;
        _floor = entry.Position;
        if (_newestByKey is not null && entry.Key is not null && _newestByKey.TryGetValue(entry.Key, out var newest) && newest == entry)
            _newestByKey.Remove(entry.Key);
    }

    /// <summary>Finds the first entry after a position; the count where the position is the newest. False: the position is outside.</summary>
    private bool TryFindAfter(TopicPosition position, out int index)
    {
        index = _count;
        if (position == _last)
            return true;
        if (position.Epoch != _last.Epoch || position.Offset > _last.Offset || position.Offset < _floor.Offset)
            return false;

        // Offsets are almost always without holes: then the place is known.
        var guess = position.Offset - _floor.Offset;
        if (guess == 0)
        {
            index = 0;
            return true;
        }

        if (guess <= (ulong)_count && At((int)guess - 1).Position.Offset == position.Offset)
        {
            index = (int)guess;
            return true;
        }

        var low = 0;
        while (low < index)
        {
            var middle = (low + index) >>> 1;
            if (At(middle).Position.Offset > position.Offset)
                index = middle;
            else
                low = middle + 1;
        }

        return true;
    }
}
