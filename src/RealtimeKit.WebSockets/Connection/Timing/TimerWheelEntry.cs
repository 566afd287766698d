namespace RealtimeKit.WebSockets;

/// <summary>Something that a <see cref="TimerWheel"/> visits. The links belong to the wheel.</summary>
internal abstract class TimerWheelEntry
{
    internal TimerWheelEntry? Next;
    internal TimerWheelEntry? Previous;
    internal long Due;
    internal bool IsLinked;
    internal bool IsRemoved;
    internal bool IsVisited;
    internal int Wanted;

    /// <summary>Called on the timer's thread when the entry is due; must neither block nor throw.</summary>
    /// <returns>The delay to the next visit; <see cref="Timeout.InfiniteTimeSpan"/> for none.</returns>
    public abstract TimeSpan OnDue();
}
