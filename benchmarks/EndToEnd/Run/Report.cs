using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Writes the figures as Markdown.</summary>
internal static class Report
{
    public static string Write(
        string command, EchoSettings settings, List<EchoRow> echo, List<(string Name, IdleResult[] Rounds)> idle, string note)
    {
        var text = new StringBuilder();
        text.Append("# End to end on Kestrel\n\n");
        Line(text, $"`{command}`, {DateTime.UtcNow:yyyy-MM-dd}.  ");
        Line(text, $"{Machine()}, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}.  ");
        text.Append("Server and load are processes of their own on 127.0.0.1, without TLS, each bound to one core.\n");
        if (note.Length > 0)
            Line(text, $"\n{note}");
        if (echo.Count > 0)
            WriteEcho(text, settings, echo);
        if (idle.Count > 0)
            WriteIdle(text, idle);
        return text.ToString();
    }

    private static void WriteEcho(StringBuilder text, EchoSettings settings, List<EchoRow> rows)
    {
        text.Append("\n## Echo\n\n");
        Line(text, $"Binary messages, masked by the client; *depth* is the number under way on each connection. Medians of {settings.Rounds} rounds of {settings.Seconds} s, the servers taking turns.");
        text.Append("CPU is the server's user and kernel time per message (the same number is CPU seconds per million messages), × its ratio to the framework's. ");
        text.Append("The bare loops send back the bytes as they came, without a codec: the floor. ");
        text.Append("The two busy columns tell which core sets the pace: where the load's is full, messages per second measure the load, and CPU per message still measures the server.\n\n");
        text.Append("| size | connections | depth | server | messages/s | p50 µs | p99 µs | CPU µs/message | × | allocated B/message | server busy | load busy |\n");
        text.Append("|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var group in rows.GroupBy(row => row.Configuration))
        {
            var framework = group.FirstOrDefault(row => row.Name == "framework");
            foreach (var row in group)
            {
                var ratio = framework is null ? "" : (row.CpuMicroseconds / framework.CpuMicroseconds).ToString("0.00", CultureInfo.InvariantCulture);
                Line(text, $"| {row.Configuration.Size} | {row.Configuration.Connections} | {row.Configuration.Depth} | {row.Name} | {row.MessagesPerSecond:#,0} | {row.P50:0} | {row.P99:0} | {row.CpuMicroseconds:0.00} | {ratio} | {row.AllocatedBytes:0.0} | {row.ServerLoad:0%} | {row.GeneratorLoad:0%} |");
            }
        }
    }

    private static void WriteIdle(StringBuilder text, List<(string Name, IdleResult[] Rounds)> idle)
    {
        var count = idle[0].Rounds[0].Connections;
        text.Append("\n## Idle connections\n\n");
        Line(text, $"Bytes per connection at {count:#,0} idle connections after one 125-byte echo (one request for plain HTTP): the difference between before and with them, each after forced compacting collections; medians of {idle[0].Rounds.Length} rounds with fresh servers.");
        text.Append("Two bases are subtracted from the resident memory: a keep-alive connection between requests, and an upgraded one whose handler only waits for bytes (bare-pipes), which has the request's own objects too.\n\n");
        text.Append("| server | managed heap | committed by the collector | working set | resident, private | beyond keep-alive | beyond a bare upgrade |\n|---|---:|---:|---:|---:|---:|---:|\n");
        var keepAlive = Median(idle[0].Rounds, result => result.AnonymousPerConnection);
        var bare = idle.FirstOrDefault(row => row.Name == "bare-pipes").Rounds;
        foreach (var (name, rounds) in idle)
        {
            var resident = Median(rounds, result => result.AnonymousPerConnection);
            var beyondBare = bare is null ? "" : Signed(resident - Median(bare, result => result.AnonymousPerConnection));
            Line(text, $"| {name} | {Median(rounds, result => result.HeapPerConnection):#,0} | {Median(rounds, result => result.CommittedPerConnection):#,0} | {Median(rounds, result => result.WorkingSetPerConnection):#,0} | {resident:#,0} | {Signed(resident - keepAlive)} | {beyondBare} |");
        }
    }

    private static double Median(IdleResult[] rounds, Func<IdleResult, double> value)
    {
        var sorted = rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Signed(double value) => value.ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    public static string Machine()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return $"{Environment.ProcessorCount} cores of {model?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString()}";
    }
}
