namespace RealtimeKit.Soak;

/// <summary>A clock that somebody sets: the wall by days, the timestamps by seconds, forwards and backwards. Timers are real, and counted.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _wall;
    private long _stamp;
    private int _timers;
    private int _periodic;

    /// <summary>Timers that are to fire once.</summary>
    public int Timers => Volatile.Read(ref _timers);

    /// <summary>Timers that fire again and again.</summary>
    public int Periodic => Volatile.Read(ref _periodic);

    /// <summary>How far ahead it is from now on; behind where negative.</summary>
    public void Jump(TimeSpan wall, TimeSpan stamp)
    {
        Volatile.Write(ref _wall, wall.Ticks);
        Volatile.Write(ref _stamp, (long)(stamp.TotalSeconds * TimestampFrequency));
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _wall));

    public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _stamp);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var counted = new CountedTimer(this, callback, state);
        counted.Start(base.CreateTimer(static counted => ((CountedTimer)counted!).OnFired(), counted, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), dueTime, period);
        return counted;
    }

    private sealed class CountedTimer(JumpingClock clock, TimerCallback callback, object? state) : ITimer
    {
        private ITimer _timer = null!;
        private int _isOnce;
        private int _isPeriodic;

        public void Start(ITimer timer, TimeSpan dueTime, TimeSpan period)
        {
            _timer = timer;
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var isArmed = dueTime != Timeout.InfiniteTimeSpan;
            var isPeriodic = isArmed && period != Timeout.InfiniteTimeSpan;
            Count(isArmed && !isPeriodic, isPeriodic);
            return _timer.Change(dueTime, period);
        }

        public void OnFired()
        {
            Count(isOnce: false, Volatile.Read(ref _isPeriodic) != 0);
            callback(state);
        }

        public void Dispose()
        {
            Count(isOnce: false, isPeriodic: false);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Count(isOnce: false, isPeriodic: false);
            return _timer.DisposeAsync();
        }

        private void Count(bool isOnce, bool isPeriodic)
        {
            Interlocked.Add(ref clock._timers, (isOnce ? 1 : 0) - Interlocked.Exchange(ref _isOnce, isOnce ? 1 : 0));
            Interlocked.Add(ref clock._periodic, (isPeriodic ? 1 : 0) - Interlocked.Exchange(ref _isPeriodic, isPeriodic ? 1 : 0));
        }
    }
}
