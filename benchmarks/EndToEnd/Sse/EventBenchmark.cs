using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>One server's figures for one size and pace: the medians of its rounds.</summary>
internal sealed record EventRow(int Size, int Interval, string Name, LoadResult[] Rounds);

/// <summary>The verb <c>run-sse</c>: event streams of the framework, of ours and of a bare handler, in turn, and the report.</summary>
internal static class EventBenchmark
{
    private static readonly (string Name, string Implementation, string[] Load)[] Idle =
    [
        ("bare handler that waits", "sse-bare", ["--path", "/wait"]),
        ("ours, handler that waits", "sse-ours", ["--path", "/wait"]),
        ("bare handler with a channel", "sse-bare", []),
        ("framework with a channel", "sse-framework", ["--silent-until-first-event"]),
        ("ours with a channel", "sse-ours", []),
    ];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var quick = arguments.Has("quick");
        var rounds = arguments.Number("rounds", quick ? 1 : 3);
        var only = arguments.Text("only", "");
        var cores = Cores.Choose();
        var streams = arguments.Number("streams", 1_000);
        List<EventRow> events = [];
        if (only is "" or "events")
        {
            foreach (var size in arguments.Numbers("size", quick ? "100" : "20,250,2000"))
                events.AddRange(await MeasureEventsAsync(arguments, size, streams, rounds, quick, cores));
        }

        List<(string Name, IdleResult[] Rounds)> idle = [];
        var idleStreams = arguments.Number("idle", quick ? 3_000 : 10_000);
        if (only is "" or "idle")
        {
            foreach (var (name, implementation, load) in Idle)
            {
                var results = new IdleResult[rounds];
                for (var round = 0; round < rounds; round++)
                    results[round] = await RunOnceAsync<IdleResult>(implementation, cores, ["sse-idle", .. load, "--streams", Text(idleStreams)]);
                idle.Add((name, results));
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name}: {results[0].HeapPerConnection:0} B of heap, {results[0].AnonymousPerConnection:0} B resident per stream"));
            }
        }

        List<(string Name, double Milliseconds)> open = [];
        if (only is "" or "open")
            foreach (var implementation in EventStreams.Implementations)
                open.Add((Name(implementation), (await RunOnceAsync<OpenResult>(implementation, cores, ["sse-open"])).Milliseconds));

        var report = EventReport.Write(RunProgram.Command(arguments), streams, events, idle, open, arguments.Text("note", "").Trim());
        await RunProgram.SaveAsync(arguments, "EventStreams.md", report);
        return 0;
    }

    private static async Task<List<EventRow>> MeasureEventsAsync(
        Arguments arguments, int size, int streams, int rounds, bool quick, (int Server, int Load) cores)
    {
        var servers = new List<(string Implementation, Child Process, int Port)>();
        try
        {
            foreach (var implementation in EventStreams.Implementations)
            {
                var (process, port) = await Child.StartServerAsync(cores.Server, implementation, "--impl", implementation, "--size", Text(size));
                servers.Add((implementation, process, port));
            }

            // Tiered compilation has settled before the first figure.
            foreach (var (implementation, _, port) in servers)
                await LoadAsync(implementation, port, interval: 0, quick ? 1 : 8);

            var rows = new List<EventRow>();
            foreach (var interval in arguments.Numbers("interval", "0,50"))
            {
                var results = EventStreams.Implementations.ToDictionary(name => name, _ => new List<LoadResult>());
                for (var round = 0; round < rounds; round++)
                    foreach (var (implementation, _, port) in servers)
                        results[implementation].Add(await LoadAsync(implementation, port, interval, arguments.Seconds("seconds", quick ? 1 : 3)));
                foreach (var (implementation, measured) in results)
                    rows.Add(new EventRow(size, interval, Name(implementation), [.. measured]));
                Console.Error.WriteLine($"{size} B, interval {interval} ms: " + string.Join(", ", results.Select(pair =>
                    string.Create(CultureInfo.InvariantCulture, $"{Name(pair.Key)} {pair.Value[0].ServerCpuMicrosecondsPerMessage:0.00} µs/event"))));
            }
            return rows;
        }
        finally
        {
            foreach (var (_, process, _) in servers)
                await process.DisposeAsync();
        }

        Task<LoadResult> LoadAsync(string implementation, int port, int interval, double seconds) => Child.RunAsync<LoadResult>(
            cores.Load, TimeSpan.FromSeconds(seconds * 5) + TimeSpan.FromMinutes(2), implementation,
            "sse-load", "--port", Text(port), "--streams", Text(streams), "--size", Text(size), "--interval", Text(interval),
            "--seconds", seconds.ToString(CultureInfo.InvariantCulture),
            "--warmup", arguments.Seconds("warmup", quick ? 0.5 : 1).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>One load on a fresh server.</summary>
    private static async Task<T> RunOnceAsync<T>(string implementation, (int Server, int Load) cores, string[] load)
    {
        var (server, port) = await Child.StartServerAsync(cores.Server, implementation, "--impl", implementation);
        await using (server)
            return await Child.RunAsync<T>(cores.Load, TimeSpan.FromMinutes(3), implementation, [.. load, "--port", Text(port)]);
    }

    private static string Name(string implementation) => implementation["sse-".Length..];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
