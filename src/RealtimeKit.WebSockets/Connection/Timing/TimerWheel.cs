using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// One timer for all connections of a clock: a hashed wheel of slots, each a list of the entries that are due in it. An entry
/// costs two references and a number; arming one is O(1); a tick touches only what is due. The wheel runs only while it has entries.
/// </summary>
internal sealed class TimerWheel
{
    /// <summary>The resolution: deadlines are met within one tick.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private const int SlotCount = 256;

    // Ticks that come later than this say that nothing else ran either.
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(2);
    private static readonly ConditionalWeakTable<TimeProvider, TimerWheel> Wheels = [];

    private readonly Lock _lock = new();
    private readonly TimerWheelEntry?[] _slots = new TimerWheelEntry?[SlotCount];
    private readonly TimeProvider _timeProvider;
    private ITimer? _timer;
    private int _count;
    private long _now;
    private long _lastTick;
    private long _stalledUntil;

    private TimerWheel(TimeProvider timeProvider) => _timeProvider = timeProvider;

    /// <summary>How many entries are armed now: what a connection that has ended must not leave behind.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>The wheel of a clock.</summary>
    public static TimerWheel For(TimeProvider timeProvider) => Wheels.GetValue(timeProvider, static provider => new TimerWheel(provider));

    /// <summary>
    /// When a process that had stood still went on, in timestamps: its threads were all blocked, it was suspended, or its clock jumped. What
    /// peers have sent meanwhile may not have been read yet, so that deadlines for them begin anew. 0 where it never stood still.
    /// </summary>
    public long StalledUntil => Volatile.Read(ref _stalledUntil);

    /// <summary>Arms an entry, or moves it nearer; a delay past the wheel's horizon of a minute is visited at the horizon.</summary>
    public void Schedule(TimerWheelEntry entry, TimeSpan delay)
    {
        lock (_lock)
        {
            Unlink(entry);
            Link(entry, delay);
        }
    }

    /// <summary>Makes sure that an armed entry is visited within <paramref name="ticks"/> ticks; two loads where it already is.</summary>
    public void EnsureWithin(TimerWheelEntry entry, int ticks)
    {
        if (Volatile.Read(ref entry.Due) - Volatile.Read(ref _now) <= ticks)
            return;
        lock (_lock)
        {
            if (entry.IsLinked)
            {
                Unlink(entry);
                Link(entry, Tick * ticks);
            }
            else if (entry.IsVisited)
            {
                entry.Wanted = Math.Min(entry.Wanted, ticks);
            }
        }
    }

    /// <summary>Disarms an entry.</summary>
    public void Remove(TimerWheelEntry entry)
    {
        lock (_lock)
        {
            entry.IsRemoved = true;
            Unlink(entry);
        }
    }

    private void Link(TimerWheelEntry entry, TimeSpan delay)
    {
        if (entry.IsRemoved)
            return;
        var ticks = (delay.Ticks + Tick.Ticks - 1) / Tick.Ticks;
        Volatile.Write(ref entry.Due, _now + Math.Clamp(ticks, 1, SlotCount - 1));
        ref var slot = ref _slots[entry.Due % SlotCount];
        entry.Next = slot;
        entry.Previous = null;
        if (slot is not null)
            slot.Previous = entry;
        slot = entry;
        entry.IsLinked = true;
        _count++;
        if (_timer is not null)
            return;
        _lastTick = _timeProvider.GetTimestamp();
        _timer = CreateTimer();
    }

    private void Unlink(TimerWheelEntry entry)
    {
        if (!entry.IsLinked)
            return;
        if (entry.Previous is { } previous)
            previous.Next = entry.Next;
        else
            _slots[entry.Due % SlotCount] = entry.Next;
        if (entry.Next is { } next)
            next.Previous = entry.Previous;
        entry.Next = entry.Previous = null;
        entry.IsLinked = false;
        _count--;
    }

    private ITimer CreateTimer()
    {
        // The timer must not keep the first connection's ExecutionContext (and its AsyncLocals) alive for ever.
        if (ExecutionContext.IsFlowSuppressed())
            return _timeProvider.CreateTimer(static wheel => ((TimerWheel)wheel!).OnTick(), this, Tick, Tick);
        using (ExecutionContext.SuppressFlow())
            return _timeProvider.CreateTimer(static wheel => ((TimerWheel)wheel!).OnTick(), this, Tick, Tick);
    }

    private void OnTick()
    {
        long slot;
        lock (_lock)
        {
            if (_count == 0)
            {
                _timer?.Dispose();
                _timer = null;
                return;
            }

            var timestamp = _timeProvider.GetTimestamp();
            if (_timeProvider.GetElapsedTime(_lastTick, timestamp) >= LongestGap)
                Volatile.Write(ref _stalledUntil, timestamp);
            _lastTick = timestamp;

            Volatile.Write(ref _now, _now + 1);
            slot = _now % SlotCount;
        }

        // Entries leave the slot one by one: a visit may schedule or remove any other entry.
        while (true)
        {
            TimerWheelEntry? entry;
            lock (_lock)
            {
                entry = _slots[slot];
                if (entry is null)
                    return;
                Unlink(entry);
                entry.IsVisited = true;
                entry.Wanted = int.MaxValue;
                Volatile.Write(ref entry.Due, long.MaxValue);   // so that a wish made during the visit is not taken for granted
            }

            var delay = entry.OnDue();
            lock (_lock)
            {
                entry.IsVisited = false;
                if (!entry.IsLinked && delay >= TimeSpan.Zero)
                    Link(entry, entry.Wanted < SlotCount && Tick * entry.Wanted < delay ? Tick * entry.Wanted : delay);
            }
        }
    }
}
