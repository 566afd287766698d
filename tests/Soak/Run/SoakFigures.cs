using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Soak;

/// <summary>What a run has measured, and its table.</summary>
internal sealed class SoakFigures
{
    private long _rents;
    private long _cpu;

    public int Held { get; set; }

    public ServerStats Before { get; set; } = null!;

    public ServerStats Peak { get; set; } = null!;

    /// <summary>After each cycle.</summary>
    public List<ServerStats> After { get; } = [];

    /// <summary>The least growth from one cycle's end to the next.</summary>
    public long? SmallestStep => After.Zip(After.Skip(1), static (one, next) => (long?)(next.Own - one.Own)).Min();

    public long ClientBefore { get; set; }

    public long ClientAfter { get; set; }

    public double Seconds { get; set; }

    /// <summary>Adds what one server process has done in all.</summary>
    public void Add(ServerStats stats)
    {
        _rents += stats.Rents;
        _cpu += stats.CpuMilliseconds;
    }

    public string ToTable(SoakOptions options, Tally tally, long bound)
    {
        var last = After[^1];
        var table = new StringBuilder("| what | figure |\n|---|---|\n");
        Row("run", $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, seed {options.Seed}, {(options.Redis ? "Redis engine (appendfsync always)" : "in-process engine")}");
        Row("machine", $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        Row("duration", $"{Seconds:0} s, {options.Minutes:0.##} min of it under load, then {options.Cycles - 1} × {options.Minutes / 10:0.##} min with all clients anew");
        Row("connections held at once · opened in all", $"{Held:N0} · {tally[Kind.Opened]:N0}");
        Row("drains and restarts under load", $"{tally[Kind.Drain]}");
        Row("resets · half-closes", $"{tally[Kind.Reset]:N0} · {tally[Kind.HalfClosed]:N0}");
        Row("slow readers · of them ended by the write deadline, the others by a drain or the end · hostile frames · churned connections", $"{tally[Kind.SlowReader]:N0} · {tally[Kind.SlowReaderEnded]:N0} · {tally[Kind.HostileFrame]:N0} · {tally[Kind.Churned]:N0}");
        Row("clock jumps · forced full collections in each process", $"{tally[Kind.ClockJump]:N0} · {tally[Kind.Collection]:N0}");
        Row("echoes compared", $"{tally[Kind.Echoed]:N0}, {tally[Kind.WrongEcho]} wrong");
        Row("published and acknowledged · answer lost", $"{tally[Kind.Published]:N0} · {tally[Kind.Unacknowledged]:N0}");
        Row("delivered", $"{tally[Kind.Delivered]:N0}");
        Row("**acknowledged and lost · delivered twice**", $"**{tally[Kind.Lost]} · {tally[Kind.Doubled]}**");
        Row("streams resumed · recoveries refused", $"{tally[Kind.Resumed]:N0} · {tally[Kind.RecoveryRefused]:N0}");
        Row("gaps told (new connections without a cursor included) · acknowledged messages that they covered", $"{tally[Kind.GapTold]:N0} · {tally[Kind.CoveredByGap]:N0}");
        Row("server's heap before · at the peak", $"{MiB(Before.Own)} · {MiB(Peak.Managed)} MiB");
        Row("the same after each cycle, without the host's pool · of that pool", $"{Each(static stats => stats.Own)} · {Each(static stats => stats.HostPool)} MiB");
        Row("most above what it was before · least growth from one cycle to the next", $"{KiB(After.Max(static stats => stats.Own) - Before.Own)} (bound: {KiB(bound)}) · {KiB(SmallestStep ?? 0)} (bound: {KiB(SoakRun.StepBound)}) KiB");
        Row("the pool's threads then", $"{string.Join(", ", After.Select(static stats => stats.Threads))}");
        Row("server's working set before · at the peak · after each cycle", $"{MiB(Before.WorkingSet)} · {MiB(Peak.WorkingSet)} · {Each(static stats => stats.WorkingSet)} MiB");
        Row("client's heap before · after", $"{MiB(ClientBefore)} · {MiB(ClientAfter)} MiB");
        Row("server's connections · armed timers · others that are to fire once · periodic ones at the end", $"{last.Requests} · {last.Armed} · {last.Timers} · {last.Periodic}");
        Row("buffers rented · returned · left to the collector, last server", $"{last.Rents:N0} · {last.Returns:N0} · {last.Abandoned:N0}");
        Row("buffers rented by all servers (up to each drain)", $"{_rents:N0}");
        Row("server's CPU", $"{_cpu / 1000.0:0.0} s");
        Row("verdict", $"{(tally.IsClean ? "passed" : "FAILED")}");
        return table.ToString();

        string Each(Func<ServerStats, long> figure) => string.Join(", ", After.Select(stats => MiB(figure(stats))));
        void Row(string name, FormattableString value) => Line(name, value.ToString(CultureInfo.InvariantCulture));
        void Line(string name, string value) => table.Append("| ").Append(name).Append(" | ").Append(value).Append(" |\n");
    }

    private static string KiB(long bytes) => (bytes / 1024.0).ToString("N0", CultureInfo.InvariantCulture);

    private static string MiB(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
}
