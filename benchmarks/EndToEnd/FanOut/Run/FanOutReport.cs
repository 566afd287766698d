using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Writes the figures of fan-out as Markdown.</summary>
internal static class FanOutReport
{
    public static string Write(
        string command,
        FanOutSettings settings,
        List<FanOutRow> deliveries,
        List<FanOutRow> stalled,
        List<(FanOutContender Contender, IdleResult[] Rounds)> idle,
        string note)
    {
        var text = new StringBuilder();
        text.Append("# Fan-out on Kestrel\n\n");
        Line(text, $"`{command}`, {DateTime.UtcNow:yyyy-MM-dd}.  ");
        Line(text, $"{Report.Machine()}, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}.  ");
        text.Append("Server and load are processes of their own on 127.0.0.1, HTTP/1.1 without TLS, each bound to one core; the publisher is in the server. ");
        text.Append("Every subscriber checks every byte of every message and their order.\n");
        if (note.Length > 0)
            Line(text, $"\n{note}");
        if (deliveries.Count > 0)
            WriteDeliveries(text, settings, deliveries);
        if (stalled.Count > 0)
            WriteStalled(text, stalled);
        if (idle.Count > 0)
            WriteIdle(text, idle);
        return text.ToString();
    }

    private static void WriteDeliveries(StringBuilder text, FanOutSettings settings, List<FanOutRow> rows)
    {
        text.Append("\n## Deliveries\n\n");
        Line(text, $"*burst* publishes messages as fast as the implementation takes them, and the next burst when everybody has the last one's; *paced* is one message, and the next when everybody has it. Medians of {settings.Rounds} rounds of {settings.Seconds} s, the servers taking turns. ");
        text.Append("CPU is the server's user and kernel time, in seconds per million deliveries (microseconds for each), × its ratio to the first row of the same transport. ");
        text.Append("Latency is from publishing to the last byte at the client; in a burst it is mostly the burst's own length. Allocation counts the publisher's message too, once for all subscribers.\n");
        foreach (var group in rows.GroupBy(row => (row.Size, row.Subscribers, row.Burst)))
        {
            var pace = group.Key.Burst == 1 ? "paced, one at a time" : $"bursts of {group.Key.Burst}";
            Line(text, $"\n### {group.Key.Size} B to {group.Key.Subscribers:#,0}, {pace}\n");
            text.Append("| transport | server | deliveries/s | p50 ms | p99 ms | CPU s/million | × | allocated B/delivery | server busy | load busy |\n");
            text.Append("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
            foreach (var transport in group.GroupBy(row => row.Contender.IsEventStream))
            {
                var first = transport.First();
                foreach (var row in transport)
                    Line(text, $"| {Transport(row)} | {row.Contender.Name} | {row.DeliveriesPerSecond:#,0} | {row.P50 / 1000:0.0} | {row.P99 / 1000:0.0} | {row.Cpu:0.00} | {row.Cpu / first.Cpu:0.00} | {row.AllocatedBytes:0.0} | {row.ServerLoad:0%} | {row.GeneratorLoad:0%} |");
            }
        }
    }

    private static void WriteStalled(StringBuilder text, List<FanOutRow> rows)
    {
        var any = rows[0];
        text.Append("\n## One subscriber that never reads\n\n");
        Line(text, $"The figures of {any.Subscribers:#,0} others with and without it, {any.Size} B, fresh servers whose kernel buffers are limited to 64 KiB for each socket, after as many messages as fill every buffer on the way to it. *Stands still*: nobody got anything for 4 s.\n");
        text.Append("| transport | server | pace | subscriber that never reads | deliveries/s | p50 ms | p99 ms | CPU s/million | allocated B/delivery | server busy | load busy |\n");
        text.Append("|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var row in rows.OrderBy(row => row.Contender.IsEventStream).ThenBy(row => row.Contender.Name, StringComparer.Ordinal).ThenByDescending(row => row.Burst).ThenBy(row => row.WithStalled))
        {
            var pace = row.Burst == 1 ? "paced" : $"bursts of {row.Burst}";
            var who = row.WithStalled ? "one" : "none";
            if (row.IsStalled)
                Line(text, $"| {Transport(row)} | {row.Contender.Name} | {pace} | {who} | stands still | | | | | | |");
            else
                Line(text, $"| {Transport(row)} | {row.Contender.Name} | {pace} | {who} | {row.DeliveriesPerSecond:#,0} | {row.P50 / 1000:0.0} | {row.P99 / 1000:0.0} | {row.Cpu:0.00} | {row.AllocatedBytes:0.0} | {row.ServerLoad:0%} | {row.GeneratorLoad:0%} |");
        }
    }

    private static void WriteIdle(StringBuilder text, List<(FanOutContender Contender, IdleResult[] Rounds)> rows)
    {
        Line(text, $"\n## Idle subscribers\n\nBytes for each of {rows[0].Rounds[0].Connections:#,0} subscribers who have everything: the difference between before and with them, each after forced compacting collections; medians of {rows[0].Rounds.Length} rounds with fresh servers. Kestrel's pool of buffers keeps as many as were once under way at the same time, whoever used them.\n");
        text.Append("| transport | server | managed objects | with pooled buffers | committed by the collector | working set | resident, private |\n|---|---|---:|---:|---:|---:|---:|\n");
        foreach (var (contender, rounds) in rows)
            Line(text, $"| {(contender.IsEventStream ? "SSE" : "WebSocket")} | {contender.Name} | {Median(rounds, result => result.ObjectsPerConnection):#,0} | {Median(rounds, result => result.HeapPerConnection):#,0} | {Median(rounds, result => result.CommittedPerConnection):#,0} | {Median(rounds, result => result.WorkingSetPerConnection):#,0} | {Median(rounds, result => result.AnonymousPerConnection):#,0} |");
    }

    private static string Transport(FanOutRow row) => row.Contender.IsEventStream ? "SSE" : "WebSocket";

    private static double Median(IdleResult[] rounds, Func<IdleResult, double> value)
    {
        var sorted = rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
