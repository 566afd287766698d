namespace RealtimeKit.Tests;

/// <summary>What happened in histories.</summary>
internal sealed class HistoryOutcome
{
    public long Entries { get; set; }

    public long Gaps { get; set; }

    public long Skipped { get; set; }

    public long Connections { get; set; }

    public void Add(HistoryOutcome other)
    {
        Entries += other.Entries;
        Gaps += other.Gaps;
        Skipped += other.Skipped;
        Connections += other.Connections;
    }

    public override string ToString() => $"{Entries} entries seen, {Gaps} gaps of {Skipped} entries told, {Connections} connections";
}
