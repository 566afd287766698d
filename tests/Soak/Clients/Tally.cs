using System.Collections.Concurrent;

namespace RealtimeKit.Soak;

/// <summary>What is counted.</summary>
internal enum Kind
{
    Opened, Echoed, Published, Unacknowledged, Delivered, GapTold, CoveredByGap, Resumed, RecoveryRefused,
    Churned, SlowReader, SlowReaderEnded, Reset, HalfClosed, ClockJump, Collection, Drain, HostileFrame,
    Lost, Doubled, WrongEcho, NotEnded, Unexpected,
}

/// <summary>Counts, and the first findings of each kind in words.</summary>
internal sealed class Tally
{
    private readonly long[] _counts = new long[Enum.GetValues<Kind>().Length];
    private readonly int[] _told = new int[Enum.GetValues<Kind>().Length];
    private readonly ConcurrentQueue<string> _findings = new();

    public long this[Kind kind] => Volatile.Read(ref _counts[(int)kind]);

    public IEnumerable<string> Findings => _findings;

    public bool IsClean => _findings.IsEmpty;

    public void Add(Kind kind, long count = 1) => Interlocked.Add(ref _counts[(int)kind], count);

    public void Fail(Kind kind, string finding, long count = 1)
    {
        Add(kind, count);
        if (Interlocked.Increment(ref _told[(int)kind]) <= 20)
            _findings.Enqueue($"{kind}: {finding}");
    }
}
