using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// Measures every configuration with every server in turn, several rounds over, so that what disturbs the machine disturbs all; the
/// servers live through the whole run, and those not measured are idle.
/// </summary>
internal static class EchoBenchmark
{
    public static async Task<List<EchoRow>> RunAsync(Contender[] contenders, EchoSettings settings, (int Server, int Load) cores)
    {
        var servers = new List<(Contender Contender, Child Process, int Port)>();
        try
        {
            foreach (var contender in contenders)
            {
                var (process, port) = await Child.StartServerAsync(cores.Server, contender.Name, contender.Server);
                servers.Add((contender, process, port));
            }

            // Tiered compilation has settled before the first figure.
            foreach (var (contender, _, port) in servers)
                await MeasureAsync(cores.Load, contender, port, new(125, 50, 16), settings with { Seconds = settings.FirstWarmup });

            var rows = new List<EchoRow>();
            foreach (var configuration in settings.Configurations)
            {
                var results = servers.ToDictionary(server => server.Contender, _ => new List<LoadResult>());
                for (var round = 0; round < settings.Rounds; round++)
                    foreach (var (contender, _, port) in servers)
                        results[contender].Add(await MeasureAsync(cores.Load, contender, port, configuration, settings));

                foreach (var contender in contenders)
                    rows.Add(new EchoRow(configuration, contender.Name, [.. results[contender]]));
                Console.Error.WriteLine($"{configuration}: " + string.Join(", ", rows.TakeLast(contenders.Length)
                    .Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Name} {row.CpuMicroseconds:0.00} µs/message"))));
            }
            return rows;
        }
        finally
        {
            foreach (var (_, process, _) in servers)
                await process.DisposeAsync();
        }
    }

    private static Task<LoadResult> MeasureAsync(
        int core, Contender contender, int port, EchoConfiguration configuration, EchoSettings settings)
    {
        string[] arguments =
        [
            "load", "--port", Text(port), "--connections", Text(configuration.Connections), "--depth", Text(configuration.Depth),
            "--size", Text(configuration.Size), "--seconds", Text(settings.Seconds), "--warmup", Text(settings.Warmup),
            .. contender.IsRaw ? new[] { "--raw" } : [],
        ];
        var limit = TimeSpan.FromSeconds(settings.Seconds + settings.Warmup + 60);
        return Child.RunAsync<LoadResult>(core, limit, $"{contender.Name}, {configuration}", arguments);
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
