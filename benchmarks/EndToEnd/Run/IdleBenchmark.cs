using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Measures the memory of idle connections, each server in a fresh process, beside idle HTTP keep-alive connections.</summary>
internal static class IdleBenchmark
{
    public const string Baseline = "HTTP keep-alive, no WebSocket";

    public static async Task<List<(string Name, IdleResult[] Rounds)>> RunAsync(
        Contender[] contenders, int connections, int rounds, (int Server, int Load) cores)
    {
        var results = contenders.Prepend(new Contender(Baseline, ["--impl", "bare-pipes"], IsRaw: false))
            .Select(contender => (Contender: contender, Rounds: new List<IdleResult>())).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (contender, measured) in results)
            {
                var result = await MeasureAsync(contender, connections, cores);
                measured.Add(result);
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{contender.Name}: {result.HeapPerConnection:0} B of heap, {result.AnonymousPerConnection:0} B resident per connection"));
            }
        }
        return [.. results.Select(result => (result.Contender.Name, result.Rounds.ToArray()))];
    }

    private static async Task<IdleResult> MeasureAsync(Contender contender, int connections, (int Server, int Load) cores)
    {
        var (server, port) = await Child.StartServerAsync(cores.Server, contender.Name, contender.Server);
        await using (server)
        {
            List<string> arguments =
            [
                "idle", "--port", port.ToString(CultureInfo.InvariantCulture),
                "--connections", connections.ToString(CultureInfo.InvariantCulture),
            ];
            if (contender.Name == Baseline)
                arguments.Add("--http");
            else if (contender.IsRaw)
                arguments.Add("--raw");
            return await Child.RunAsync<IdleResult>(cores.Load, TimeSpan.FromMinutes(3), $"idle, {contender.Name}", [.. arguments]);
        }
    }
}
