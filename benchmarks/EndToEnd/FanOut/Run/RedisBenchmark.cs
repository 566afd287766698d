using System.Globalization;

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
        foreach (var size in arguments.Numbers("size", "100"))
        {
            foreach (var subscribers in arguments.Numbers("subscribers", "1000"))
            {
                var results = await MeasureAsync(arguments, cores, SignalRNode(redis), size, subscribers, bursts, rounds);
                for (var i = 0; i < bursts.Length; i++)
                {
                    var row = new FanOutRow(SignalR, subscribers, size, bursts[i], WithStalled: false, [.. results.Select(result => result[i])]);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{row.Contender.Name}, {size} B to {subscribers:#,0}, {bursts[i]} at once: {row.DeliveriesPerSecond:#,0} deliveries/s, p99 {row.P99 / 1000:0.0} ms, {row.Cpu:0.00} s of CPU for a million, {row.AllocatedBytes:0.0} B allocated for each"));
                }
            }
        }
        return 0;
    }

    private static FanOutContender SignalR { get; } = new("SignalR with its Redis backplane", "signalr-redis", FanOutProtocol.SignalR);

    private static (FanOutContender Contender, string? Assembly, string[] Server) SignalRNode(RedisServer redis)
    {
        var assembly = Path.Combine(RunProgram.RepositoryRoot(), "benchmarks", "RedisScaleOut", "bin", "Release", "net10.0", "RedisScaleOut.dll");
        return File.Exists(assembly)
            ? (SignalR, assembly, ["--redis", redis.Endpoint])
            : throw new BenchmarkException("First: dotnet build -c Release benchmarks/RedisScaleOut");
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
