using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Writes the figures of fan-out over two nodes as Markdown.</summary>
internal static class RedisReport
{
    public static string Write(string command, FanOutSettings settings, List<FanOutRow> rows, string note)
    {
        var text = new StringBuilder();
        text.Append("# Fan-out over two nodes and Redis\n\n");
        Line(text, $"`{command}`, {DateTime.UtcNow:yyyy-MM-dd}.  ");
        Line(text, $"{Report.Machine()}, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}.  ");
        text.Append("Two nodes and one `redis-server`, which keeps nothing on disk, share one core; the load has the other. Half of the subscribers are on each node, and the first node publishes everything. ");
        text.Append("Every subscriber checks every byte of every message and their order.\n");
        if (note.Length > 0)
            Line(text, $"\n{note}");
        Line(text, $"\n*burst* publishes messages one after the other, each when the one before is stored, and the next burst when everybody has the last one's; *paced* is one message, and the next when everybody has it. Medians of {settings.Rounds} rounds of {settings.Seconds} s, the servers taking turns.");
        text.Append("CPU is user and kernel time in seconds per million deliveries: that of both nodes, and that of Redis; × is the ratio of the sum to the first row's. ");
        text.Append("The two do not give the same: SignalR's backplane hands a message on and forgets it; a topic stores it, numbers it, and resumes.\n");
        foreach (var group in rows.GroupBy(row => (row.Size, row.Subscribers, row.Burst)))
        {
            Line(text, $"\n## {group.Key.Size} B to {group.Key.Subscribers:#,0}, {(group.Key.Burst == 1 ? "paced, one at a time" : $"bursts of {group.Key.Burst}")}\n");
            text.Append("| nodes | deliveries/s | p50 ms | p99 ms | CPU s/million, nodes | Redis | × | allocated B/delivery | nodes busy | load busy |\n");
            text.Append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
            var first = group.First();
            foreach (var row in group)
                Line(text, $"| {row.Contender.Name} | {row.DeliveriesPerSecond:#,0} | {row.P50 / 1000:0.0} | {row.P99 / 1000:0.0} | {row.Cpu:0.00} | {row.OtherCpu:0.00} | {(row.Cpu + row.OtherCpu) / (first.Cpu + first.OtherCpu):0.00} | {row.AllocatedBytes:0.0} | {row.ServerLoad:0%} | {row.GeneratorLoad:0%} |");
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
