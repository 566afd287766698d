using System.Globalization;
using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The verb <c>run-redis</c>: two nodes over one Redis, half of the subscribers on each, everything published by the first. The nodes
/// share the server's core with Redis; their CPU is counted together, Redis's is not.
/// </summary>
internal static class RedisBenchmark
{
    private const int Nodes = 2;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var cores = Cores.Choose();
        var bursts = arguments.Numbers("burst", "300,1");
        var rounds = arguments.Number("rounds", 3);
        await using var redis = await RedisServer.StartAsync(cores.Server);
        var report = new StringBuilder("| size | subscribers | pace | nodes | deliveries/s | p50 ms | p99 ms | CPU s/million | allocated B/delivery |\n|---:|---:|---|---|---:|---:|---:|---:|---:|\n");
        foreach (var size in arguments.Numbers("size", "100"))
        {
            foreach (var subscribers in arguments.Numbers("subscribers", "1000"))
            {
                var nodes = Contenders(redis);
                var measured = new List<FanOutResult[][]>();
                foreach (var node in nodes)
                    measured.Add(await MeasureAsync(arguments, cores, node, size, subscribers, bursts, rounds));
                for (var i = 0; i < bursts.Length; i++)
                {
                    for (var j = 0; j < nodes.Length; j++)
                    {
                        var row = new FanOutRow(nodes[j].Contender, subscribers, size, bursts[i], WithStalled: false, [.. measured[j].Select(result => result[i])]);
                        var pace = bursts[i] == 1 ? "paced" : $"bursts of {bursts[i]}";
                        report.Append(CultureInfo.InvariantCulture, $"| {size} B | {subscribers:#,0} | {pace} | {row.Contender.Name} | {row.DeliveriesPerSecond:#,0} | {row.P50 / 1000:0.0} | {row.P99 / 1000:0.0} | {row.Cpu:0.00} | {row.AllocatedBytes:0.0} |\n");
                    }
                }
            }
        }
        Console.WriteLine(report);
        return 0;
    }

    private static (FanOutContender Contender, string? Assembly, string[] Server)[] Contenders(RedisServer redis)
    {
        var backplane = Path.Combine(RunProgram.RepositoryRoot(), "benchmarks", "RedisScaleOut", "bin", "Release", "net10.0", "RedisScaleOut.dll");
        if (!File.Exists(backplane))
            throw new BenchmarkException("First: dotnet build -c Release benchmarks/RedisScaleOut");
        return
        [
            (new("SignalR with its Redis backplane", "signalr", FanOutProtocol.SignalR), backplane, ["--redis", redis.Endpoint]),
            (new("ours, WebSocket", "ws", FanOutProtocol.WebSocket), null, ["--impl", "fan-topics-ws", "--redis", redis.Endpoint]),
            (new("ours, SSE", "sse", FanOutProtocol.EventStream), null, ["--impl", "fan-topics-sse", "--redis", redis.Endpoint]),
        ];
    }

    private static async Task<FanOutResult[][]> MeasureAsync(
        Arguments arguments,
        (int Server, int Load) cores,
        (FanOutContender Contender, string? Assembly, string[] Server) node,
        int size,
        int subscribers,
        int[] bursts,
        int rounds)
    {
        var servers = new List<(Child Process, int Port)>();
        try
        {
            for (var i = 0; i < Nodes; i++)
                servers.Add(await Child.StartServerAsync(cores.Server, node.Contender.Name, node.Assembly, node.Server));

            // Tiered compilation has settled before the first figure.
            await LoadAsync(seconds: 4);
            var results = new FanOutResult[rounds][];
            for (var round = 0; round < rounds; round++)
                results[round] = await LoadAsync(arguments.Seconds("seconds", 2));
            return results;
        }
        finally
        {
            foreach (var (process, _) in servers)
                await process.DisposeAsync();
        }

        Task<FanOutResult[]> LoadAsync(double seconds) => Child.RunAsync<FanOutResult[]>(
            cores.Load,
            TimeSpan.FromMinutes(5),
            node.Contender.Name,
            "fan-load",
            "--port", string.Join(',', servers.Select(server => server.Port)),
            "--protocol", node.Contender.Protocol.ToString(),
            "--subscribers", subscribers.ToString(CultureInfo.InvariantCulture),
            "--size", size.ToString(CultureInfo.InvariantCulture),
            "--burst", string.Join(',', bursts),
            "--seconds", seconds.ToString(CultureInfo.InvariantCulture),
            "--warmup", arguments.Seconds("warmup", 1).ToString(CultureInfo.InvariantCulture));
    }
}
