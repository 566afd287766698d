using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The verb <c>run-deflate</c>: memory of idle connections that compress, and the rate of opening handshakes, framework and ours in turns,
/// each in a fresh process.
/// </summary>
internal static class DeflateBenchmark
{
    private const string NoTakeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private static readonly (string Name, string Compression, string? Offer)[] Idle =
    [
        ("off", "off", null),
        ("on, no context takeover", "on", NoTakeover),
        ("takeover, 15 bits", "takeover", "permessage-deflate"),
        ("takeover, 12 bits", "takeover", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"),
        ("takeover, 9 bits", "takeover", "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"),
    ];

    private static readonly string[] Implementations = ["framework", "ours"];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var cores = Cores.Choose();
        var connections = arguments.Number("connections", 1_000);
        var rounds = arguments.Number("rounds", 3);
        var seconds = arguments.Text("seconds", "3");
        var warmup = arguments.Text("warmup", "1");

        var text = new StringBuilder("# Compression: idle connections and handshakes\n\n");
        Line(text, $"Command: `{RunProgram.Command(arguments)}`");
        Line(text, $"Machine: {Report.Machine()}, {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd}. {arguments.Text("note", "").Trim()}");
        Line(text, $"\n## Memory of idle connections\n");
        Line(text, $"Bytes per connection at {connections:#,0} idle connections, each after two echoes of 1 KiB of JSON that went compressed both ways (125 bytes as they are where compression is off): the difference between before and with them, after forced compacting collections; medians of {rounds} rounds with fresh servers. The framework reads into a buffer of 4 KiB that it keeps.\n");
        text.Append("| compression | server | managed heap | resident, private | beyond the same server without |\n|---|---|---:|---:|---:|\n");
        var without = new Dictionary<string, double>();
        foreach (var (name, compression, offer) in Idle)
        {
            foreach (var implementation in Implementations)
            {
                var results = new List<IdleResult>();
                for (var round = 0; round < rounds; round++)
                    results.Add(await MeasureIdleAsync(implementation, compression, offer, connections, cores));
                var resident = Median(results.Select(result => result.AnonymousPerConnection));
                without.TryAdd(implementation, resident);
                Line(text, $"| {name} | {implementation} | {Median(results.Select(result => result.HeapPerConnection)):#,0} | {resident:#,0} | {resident - without[implementation]:+#,0;-#,0;0} |");
                Console.Error.WriteLine($"{name}, {implementation}: {resident:0}");
            }
        }

        Line(text, $"\n## Opening handshakes\n");
        Line(text, $"TCP connect, handshake, reset, on eight threads of one core; medians of {rounds} rounds of {seconds} s, the servers taking turns. CPU is the server's, user and kernel time, × its ratio to the framework's.\n");
        text.Append("| compression | server | handshakes/s | CPU µs/handshake | × | allocated B/handshake |\n|---|---|---:|---:|---:|---:|\n");
        foreach (var (name, compression, offer) in Idle[..2])
        {
            var measured = Implementations.ToDictionary(implementation => implementation, _ => new List<HandshakeResult>());
            for (var round = 0; round < rounds; round++)
                foreach (var implementation in Implementations)
                    measured[implementation].Add(await MeasureHandshakesAsync(implementation, compression, offer, seconds, warmup, cores));
            var baseline = Median(measured["framework"].Select(result => result.CpuMicroseconds));
            foreach (var (implementation, results) in measured)
            {
                var cpu = Median(results.Select(result => result.CpuMicroseconds));
                Line(text, $"| {name} | {implementation} | {Median(results.Select(result => result.PerSecond)):#,0} | {cpu:0.0} | {cpu / baseline:0.00} | {Median(results.Select(result => result.AllocatedPerHandshake)):#,0} |");
            }
        }

        await RunProgram.SaveAsync(arguments, "Compression.md", text.ToString());
        return 0;
    }

    private static async Task<IdleResult> MeasureIdleAsync(string implementation, string compression, string? offer, int connections, (int Server, int Load) cores)
    {
        var (server, port) = await Child.StartServerAsync(cores.Server, implementation, "--impl", implementation, "--buffer", "4096", "--compression", compression);
        await using (server)
            return await Child.RunAsync<IdleResult>(cores.Load, TimeSpan.FromMinutes(3), $"idle, {implementation}",
                ["idle", "--port", $"{port}", "--connections", $"{connections}", .. Offer(offer)]);
    }

    private static async Task<HandshakeResult> MeasureHandshakesAsync(
        string implementation, string compression, string? offer, string seconds, string warmup, (int Server, int Load) cores)
    {
        var (server, port) = await Child.StartServerAsync(cores.Server, implementation, "--impl", implementation, "--compression", compression);
        await using (server)
            return await Child.RunAsync<HandshakeResult>(cores.Load, TimeSpan.FromMinutes(3), $"handshake, {implementation}",
                ["handshake", "--port", $"{port}", "--seconds", seconds, "--warmup", warmup, .. Offer(offer)]);
    }

    private static string[] Offer(string? offer) => offer is null ? [] : ["--deflate", offer];

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
