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

    public ServerStats After { get; set; } = null!;

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
        var table = new StringBuilder("| what | figure |\n|---|---|\n");
        Row("run", $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, seed {options.Seed}, {(options.Redis ? "Redis engine (appendfsync always)" : "in-process engine")}");
        Row("machine", $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        Row("duration", $"{Seconds:0} s, {options.Minutes:0.##} min of it under load");
        Row("connections held at once · opened in all", $"{Held:N0} · {tally[Kind.Opened]:N0}");
        Row("drains and restarts under load", $"{tally[Kind.Drain]}");
        Row("resets · half-closes", $"{tally[Kind.Reset]:N0} · {tally[Kind.HalfClosed]:N0}");
        Row("slow readers · hostile frames · churned connections", $"{tally[Kind.SlowReader]:N0} · {tally[Kind.HostileFrame]:N0} · {tally[Kind.Churned]:N0}");
        Row("clock jumps · forced full collections in each process", $"{tally[Kind.ClockJump]:N0} · {tally[Kind.Collection]:N0}");
        Row("echoes compared", $"{tally[Kind.Echoed]:N0}, {tally[Kind.WrongEcho]} wrong");
        Row("published and acknowledged · answer lost", $"{tally[Kind.Published]:N0} · {tally[Kind.Unacknowledged]:N0}");
        Row("delivered", $"{tally[Kind.Delivered]:N0}");
        Row("**acknowledged and lost · delivered twice**", $"**{tally[Kind.Lost]} · {tally[Kind.Doubled]}**");
        Row("streams resumed · recoveries refused", $"{tally[Kind.Resumed]:N0} · {tally[Kind.RecoveryRefused]:N0}");
        Row("gaps told (new connections without a cursor included) · acknowledged messages that they covered", $"{tally[Kind.GapTold]:N0} · {tally[Kind.CoveredByGap]:N0}");
        Row("server's heap before · at the peak · after", $"{MiB(Before.Managed)} · {MiB(Peak.Managed)} · {MiB(After.Managed)} MiB (bound: before + {MiB(bound)})");
        Row("server's working set before · at the peak · after", $"{MiB(Before.WorkingSet)} · {MiB(Peak.WorkingSet)} · {MiB(After.WorkingSet)} MiB");
        Row("client's heap before · after", $"{MiB(ClientBefore)} · {MiB(ClientAfter)} MiB");
        Row("server's connections · armed timers at the end", $"{After.Requests} · {After.Armed}");
        Row("buffers rented · returned · left to the collector, last server", $"{After.Rents:N0} · {After.Returns:N0} · {After.Abandoned:N0}");
        Row("buffers rented by all servers (up to each drain)", $"{_rents:N0}");
        Row("server's CPU", $"{_cpu / 1000.0:0.0} s");
        Row("verdict", $"{(tally.IsClean ? "passed" : "FAILED")}");
        return table.ToString();

        void Row(string name, FormattableString value) => Line(name, value.ToString(CultureInfo.InvariantCulture));
        void Line(string name, string value) => table.Append("| ").Append(name).Append(" | ").Append(value).Append(" |\n");
    }

    private static string MiB(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
}
