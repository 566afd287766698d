namespace RealtimeKit.Soak;

/// <summary>A clock that somebody sets: the wall by days, the timestamps by seconds, forwards and backwards. Timers are real.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _wall;
    private long _stamp;

    /// <summary>How far ahead it is from now on; behind where negative.</summary>
    public void Jump(TimeSpan wall, TimeSpan stamp)
    {
        Volatile.Write(ref _wall, wall.Ticks);
        Volatile.Write(ref _stamp, (long)(stamp.TotalSeconds * TimestampFrequency));
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _wall));

    public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _stamp);
}
