using System.Globalization;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The verb <c>run-fanout</c>: every contender in turn, several rounds over, each in a server of its own that lives through the run; what
/// a subscriber that never reads does to the others; the memory of idle subscribers; and the report.
/// </summary>
internal static class FanOutBenchmark
{
    // With the kernel's own buffers it takes megabytes until a peer that does not read is noticed.
    private const int StalledSendBuffer = 64 * 1024;
    private const int StalledSize = 1024;
    private const int StalledFill = 1_500;

    private static readonly FanOutContender[] Bases =
    [
        new("ours, a connection that is told nothing", "fan-prepared-ws", FanOutProtocol.WebSocket),
        new("ours, a stream that is told nothing", "fan-prepared-sse", FanOutProtocol.EventStream),
    ];

    private static readonly string[][] Stalled = [[], ["--stalled"]];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var quick = arguments.Has("quick");
        var implementations = arguments.List("impl", string.Join(',', FanOutContender.All.Select(contender => contender.Implementation)));
        var settings = new FanOutSettings(
            [.. implementations.Select(FanOutContender.Find)],
            arguments.Numbers("subscribers", quick ? "1000" : "1000,5000"),
            arguments.Numbers("size", quick ? "100" : "100,1024"),
            arguments.Numbers("burst", "300,1"),
            arguments.Number("rounds", quick ? 1 : 3),
            arguments.Seconds("seconds", quick ? 1 : 2),
            arguments.Seconds("warmup", quick ? 0.5 : 1),
            quick ? 1.5 : 4,
            arguments.Number("idle", quick ? 2_000 : 10_000),
            Cores.Choose());
        await VerifySelfAsync(settings.Cores);

        var only = arguments.Text("only", "");
        var deliveries = only is "" or "deliveries" ? await MeasureDeliveriesAsync(settings) : [];
        var stalled = only is "" or "stalled" ? await MeasureStalledAsync(settings) : [];
        var idle = only is "" or "idle" ? await MeasureIdleAsync(settings) : [];

        var report = FanOutReport.Write(RunProgram.Command(arguments), settings, deliveries, stalled, idle, arguments.Text("note", "").Trim());
        await RunProgram.SaveAsync(arguments, "FanOut.md", report);
        return 0;
    }

    /// <summary>Shows that the load would notice: a server that leaves out one delivery must fail it, and a right one must not.</summary>
    private static async Task VerifySelfAsync((int Server, int Load) cores)
    {
        string[] load = ["--subscribers", "20", "--warmup", "0.1", "--seconds", "0.1"];
        await RunOnceAsync<FanOutResult[]>(cores, new("", "fan-loop", FanOutProtocol.WebSocket), [], ["fan-load", .. load]);
        try
        {
            await RunOnceAsync<FanOutResult[]>(cores, new("", "fan-lossy", FanOutProtocol.WebSocket), [], ["fan-load", .. load]);
        }
        catch (BenchmarkException exception) when (exception.Message.Contains("A subscriber expected message", StringComparison.Ordinal))
        {
            return;
        }
        throw new BenchmarkException("The load did not notice that a message was missing");
    }

    private static async Task<List<FanOutRow>> MeasureDeliveriesAsync(FanOutSettings settings)
    {
        var servers = new List<(FanOutContender Contender, Child Process, int Port)>();
        try
        {
            foreach (var contender in settings.Contenders)
            {
                var (process, port) = await Child.StartServerAsync(settings.Cores.Server, contender.Name, "--impl", contender.Implementation);
                servers.Add((contender, process, port));
            }

            // Tiered compilation has settled before the first figure.
            foreach (var (contender, _, port) in servers)
                await LoadAsync(settings with { Seconds = settings.FirstWarmup }, contender, port, settings.Subscribers[0], settings.Sizes[0], "--least", "200");

            var rows = new List<FanOutRow>();
            foreach (var size in settings.Sizes)
            {
                foreach (var subscribers in settings.Subscribers)
                {
                    var results = servers.ToDictionary(server => server.Contender, _ => new List<FanOutResult[]>());
                    for (var round = 0; round < settings.Rounds; round++)
                        foreach (var (contender, _, port) in servers)
                            results[contender].Add(await LoadAsync(settings, contender, port, subscribers, size));
                    AddRows(rows, settings, subscribers, size, withStalled: false, results);
                }
            }
            return rows;
        }
        finally
        {
            foreach (var (_, process, _) in servers)
                await process.DisposeAsync();
        }
    }

    /// <summary>With and without the one that never reads, each in a fresh server: some do not recover.</summary>
    private static async Task<List<FanOutRow>> MeasureStalledAsync(FanOutSettings settings)
    {
        var rows = new List<FanOutRow>();
        var subscribers = settings.Subscribers[0];
        var contenders = settings.Contenders.Where(contender => contender.IsWorthStalling).ToArray();
        foreach (var stalled in Stalled)
        {
            var results = contenders.ToDictionary(contender => contender, _ => new List<FanOutResult[]>());
            foreach (var contender in contenders)
            {
                results[contender].Add(await RunOnceAsync<FanOutResult[]>(
                    settings.Cores,
                    contender,
                    ["--send-buffer", Text(StalledSendBuffer)],
                    ["fan-load", .. LoadArguments(settings, subscribers, StalledSize), "--fill", Text(StalledFill), .. stalled]));
            }
            AddRows(rows, settings, subscribers, StalledSize, withStalled: stalled.Length > 0, results);
        }
        return rows;
    }

    private static async Task<List<(FanOutContender Contender, IdleResult[] Rounds)>> MeasureIdleAsync(FanOutSettings settings)
    {
        var rows = new List<(FanOutContender, IdleResult[])>();
        foreach (var contender in settings.Contenders.Where(contender => !contender.Implementation.StartsWith("fan-prepared", StringComparison.Ordinal)).Concat(Bases))
        {
            // What a connection is before it is told anything: the base of what a subscriber is beyond its connection.
            var messages = Bases.Contains(contender) ? "0" : "3";
            var results = new IdleResult[settings.Rounds];
            for (var round = 0; round < settings.Rounds; round++)
                results[round] = await RunOnceAsync<IdleResult>(settings.Cores, contender, [], ["fan-idle", "--subscribers", Text(settings.Idle), "--messages", messages]);
            rows.Add((contender, results));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{contender.Name}: {results[0].HeapPerConnection:0} B of heap, {results[0].AnonymousPerConnection:0} B resident per subscriber"));
        }
        return rows;
    }

    private static void AddRows(
        List<FanOutRow> rows, FanOutSettings settings, int subscribers, int size, bool withStalled, Dictionary<FanOutContender, List<FanOutResult[]>> results)
    {
        for (var i = 0; i < settings.Bursts.Length; i++)
        {
            foreach (var (contender, rounds) in results)
                rows.Add(new FanOutRow(contender, subscribers, size, settings.Bursts[i], withStalled, [.. rounds.Select(round => round[i])]));
            Console.Error.WriteLine($"{size} B to {subscribers}, {settings.Bursts[i]} at once{(withStalled ? ", one stalled" : "")}: " + string.Join(", ", rows.TakeLast(results.Count)
                .Select(row => row.IsStalled
                    ? $"{row.Contender.Implementation} stands still"
                    : string.Create(CultureInfo.InvariantCulture, $"{row.Contender.Implementation} {row.Cpu:0.00} s"))));
        }
    }

    private static Task<FanOutResult[]> LoadAsync(FanOutSettings settings, FanOutContender contender, int port, int subscribers, int size, params string[] more) =>
        RunLoadAsync<FanOutResult[]>(settings.Cores, contender, port, ["fan-load", .. LoadArguments(settings, subscribers, size), .. more]);

    private static string[] LoadArguments(FanOutSettings settings, int subscribers, int size) =>
    [
        "--subscribers", Text(subscribers), "--size", Text(size), "--burst", string.Join(',', settings.Bursts.Select(Text)),
        "--seconds", Text(settings.Seconds), "--warmup", Text(settings.Warmup),
    ];

    /// <summary>One load on a fresh server.</summary>
    private static async Task<T> RunOnceAsync<T>((int Server, int Load) cores, FanOutContender contender, string[] server, string[] load)
    {
        var (process, port) = await Child.StartServerAsync(cores.Server, contender.Name, ["--impl", contender.Implementation, .. server]);
        await using (process)
            return await RunLoadAsync<T>(cores, contender, port, load);
    }

    private static Task<T> RunLoadAsync<T>((int Server, int Load) cores, FanOutContender contender, int port, string[] load) => Child.RunAsync<T>(
        cores.Load, TimeSpan.FromMinutes(5), contender.Implementation, [.. load, "--port", Text(port), "--protocol", contender.Protocol.ToString()]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
