using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The verb <c>run-redis</c>: two nodes over one Redis, half of the subscribers on each, everything published by the first. All servers
/// stay up and take turns. The nodes share the server's core with Redis; their CPU is counted together, Redis's apart.
/// </summary>
internal static class RedisBenchmark
{
    private const int Nodes = 2;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var quick = arguments.Has("quick");
        var settings = new FanOutSettings(
            [],
            arguments.Numbers("subscribers", "1000"),
            arguments.Numbers("size", "100"),
            arguments.Numbers("burst", "300,1"),
            arguments.Number("rounds", quick ? 1 : 3),
            arguments.Seconds("seconds", quick ? 1 : 2),
            arguments.Seconds("warmup", quick ? 0.5 : 1),
            quick ? 1.5 : 4,
            Idle: 0,
            Cores.Choose());
        await using var redis = await RedisServer.StartAsync(settings.Cores.Server);
        var groups = new List<(FanOutContender Contender, List<(Child Process, int Port)> Servers)>();
        var rows = new List<FanOutRow>();
        try
        {
            foreach (var (contender, assembly, server) in Contenders(redis))
            {
                groups.Add((contender, []));
                for (var i = 0; i < Nodes; i++)
                    groups[^1].Servers.Add(await Child.StartServerAsync(settings.Cores.Server, contender.Name, assembly, server));
            }

            // Tiered compilation has settled before the first figure.
            foreach (var (contender, servers) in groups)
                await LoadAsync(settings with { Seconds = settings.FirstWarmup }, redis, contender, servers, settings.Subscribers[0], settings.Sizes[0]);
            foreach (var size in settings.Sizes)
                foreach (var subscribers in settings.Subscribers)
                    rows.AddRange(await MeasureAsync(settings, redis, groups, subscribers, size));
        }
        finally
        {
            foreach (var (process, _) in groups.SelectMany(group => group.Servers))
                await process.DisposeAsync();
        }

        await RunProgram.SaveAsync(arguments, "Redis.md", RedisReport.Write(RunProgram.Command(arguments), settings, rows, arguments.Text("note", "").Trim()));
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

    private static async Task<List<FanOutRow>> MeasureAsync(
        FanOutSettings settings, RedisServer redis, List<(FanOutContender Contender, List<(Child Process, int Port)> Servers)> groups, int subscribers, int size)
    {
        var results = groups.ToDictionary(group => group.Contender, _ => new List<FanOutResult[]>());
        for (var round = 0; round < settings.Rounds; round++)
        {
            foreach (var (contender, servers) in groups)
                results[contender].Add(await LoadAsync(settings, redis, contender, servers, subscribers, size));
        }

        var rows = new List<FanOutRow>();
        for (var i = 0; i < settings.Bursts.Length; i++)
        {
            foreach (var (contender, rounds) in results)
                rows.Add(new FanOutRow(contender, subscribers, size, settings.Bursts[i], WithStalled: false, [.. rounds.Select(round => round[i])]));
        }

        return rows;
    }

    private static Task<FanOutResult[]> LoadAsync(
        FanOutSettings settings, RedisServer redis, FanOutContender contender, List<(Child Process, int Port)> servers, int subscribers, int size) => Child.RunAsync<FanOutResult[]>(
            settings.Cores.Load,
            TimeSpan.FromMinutes(5),
            contender.Name,
            "fan-load",
            "--port", string.Join(',', servers.Select(server => server.Port)),
            "--protocol", contender.Protocol.ToString(),
            "--subscribers", subscribers.ToString(CultureInfo.InvariantCulture),
            "--size", size.ToString(CultureInfo.InvariantCulture),
            "--burst", string.Join(',', settings.Bursts),
            "--seconds", settings.Seconds.ToString(CultureInfo.InvariantCulture),
            "--warmup", settings.Warmup.ToString(CultureInfo.InvariantCulture),
            "--other-process", redis.ProcessId.ToString(CultureInfo.InvariantCulture));
}
