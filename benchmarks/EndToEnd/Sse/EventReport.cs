using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Writes the figures of event streams as Markdown.</summary>
internal static class EventReport
{
    public static string Write(
        string command, int streams, List<EventRow> events, List<(string Name, IdleResult[] Rounds)> idle, List<(string Name, double Milliseconds)> open, string note)
    {
        var text = new StringBuilder();
        text.Append("# Server-Sent Events on Kestrel\n\n");
        Line(text, $"`{command}`, {DateTime.UtcNow:yyyy-MM-dd}.  ");
        Line(text, $"{Report.Machine()}, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}.  ");
        text.Append("Server and load are processes of their own on 127.0.0.1, HTTP/1.1 without TLS, each bound to one core. ");
        text.Append("*framework* is `TypedResults.ServerSentEvents`, *ours* `MapServerSentEvents`, both over the same sequence; *bare* writes bytes that were encoded before and does nothing else: the floor.\n");
        if (note.Length > 0)
            Line(text, $"\n{note}");
        if (events.Count > 0)
            WriteEvents(text, streams, events);
        if (idle.Count > 0)
            WriteIdle(text, idle);
        if (open.Count > 0)
            WriteOpen(text, open);
        return text.ToString();
    }

    private static void WriteEvents(StringBuilder text, int streams, List<EventRow> rows)
    {
        Line(text, $"\n## Events to {streams:#,0} streams\n");
        Line(text, $"One event to each stream, then the next, either as fast as the slowest stream takes them or every so many milliseconds. Medians of {rows[0].Rounds.Length} rounds, the servers taking turns. The load compares every byte.");
        text.Append("CPU is the server's user and kernel time per event (the same number is CPU seconds per million events), × its ratio to the framework's.\n\n");
        text.Append("| data | pace | server | events/s | CPU µs/event | × | allocated B/event | server busy | load busy |\n");
        text.Append("|---:|---|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (var group in rows.GroupBy(row => (row.Size, row.Interval)))
        {
            var framework = Median(group.First(row => row.Name == "framework").Rounds, Cpu);
            foreach (var row in group)
            {
                var pace = row.Interval == 0 ? "full" : $"{row.Interval} ms";
                Line(text, $"| {row.Size} B | {pace} | {row.Name} | {Median(row.Rounds, result => result.MessagesPerSecond):#,0} | {Median(row.Rounds, Cpu):0.00} | {Median(row.Rounds, Cpu) / framework:0.00} | {Median(row.Rounds, result => result.AllocatedBytesPerMessage):0.0} | {Median(row.Rounds, result => result.ServerCpuSeconds / result.Seconds):0%} | {Median(row.Rounds, result => result.LoadCpuSeconds / result.Seconds):0%} |");
            }
        }

        static double Cpu(LoadResult result) => result.ServerCpuMicrosecondsPerMessage;
    }

    private static void WriteIdle(StringBuilder text, List<(string Name, IdleResult[] Rounds)> idle)
    {
        Line(text, $"\n## Idle streams\n\nBytes per stream at {idle[0].Rounds[0].Connections:#,0} idle streams: the difference between before and with them, each after forced compacting collections; medians of {idle[0].Rounds.Length} rounds with fresh servers. Ours sends heartbeats.\n");
        text.Append("| server | managed heap | committed by the collector | working set | resident, private | heap beyond the bare one |\n|---|---:|---:|---:|---:|---:|\n");
        var bare = 0.0;
        foreach (var (name, rounds) in idle)
        {
            var heap = Median(rounds, result => result.HeapPerConnection);
            var isBare = name.StartsWith("bare", StringComparison.Ordinal);
            if (isBare)
                bare = heap;
            var beyond = isBare ? "" : (heap - bare).ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);
            Line(text, $"| {name} | {heap:#,0} | {Median(rounds, result => result.CommittedPerConnection):#,0} | {Median(rounds, result => result.WorkingSetPerConnection):#,0} | {Median(rounds, result => result.AnonymousPerConnection):#,0} | {beyond} |");
        }
    }

    private static void WriteOpen(StringBuilder text, List<(string Name, double Milliseconds)> open)
    {
        text.Append("\n## Time to `open`\n\nUntil the headers arrive of a stream whose first event comes after 2 s; the median of five, sent to a fresh server at once.\n\n");
        text.Append("| server | ms |\n|---|---:|\n");
        foreach (var (name, milliseconds) in open)
            Line(text, $"| {name} | {milliseconds:#,0} |");
    }

    private static double Median<T>(T[] rounds, Func<T, double> value)
    {
        var sorted = rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
