using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The verbs <c>fan-load</c> and <c>fan-idle</c>: each subscribes, lets the server publish, and prints one line of JSON.</summary>
internal static class FanOutLoadProgram
{
    public static int RunLoad(Arguments arguments)
    {
        using var nodes = new FanOutNodes(arguments.Numbers("port", ""));
        using var load = Open(arguments, nodes, arguments.Number("subscribers", 1_000));
        var isStalled = false;

        // One subscriber that does not read: until nothing more is taken for it.
        for (var left = arguments.Number("fill", 0); left > 0 && !isStalled; left -= 300)
            isStalled = load.Publish(Math.Min(left, 300), 0, null) < 0;
        var results = new List<FanOutResult>();
        foreach (var burst in arguments.Numbers("burst", "300"))
        {
            if (!isStalled)
                isStalled = !TryRun(load, burst, arguments.Seconds("warmup", 1), arguments, latencies: null, out _, out _);
            results.Add(isStalled ? FanOutResult.Stalled(burst) : Measure(load, nodes, burst, arguments));
            isStalled = results[^1].IsStalled;
        }
        Print(results);
        return 0;
    }

    public static int RunIdle(Arguments arguments)
    {
        var count = arguments.Number("subscribers", 10_000);
        var messages = arguments.Number("messages", 3);
        using var nodes = new FanOutNodes(arguments.Numbers("port", ""));

        // What the first leave behind (jitted code, pools, static state) is no one's in particular.
        // Ten descriptors more of each are the runtime's own, opened when first needed.
        var descriptors = nodes.Get("/gc").Descriptors;
        using (var first = Open(arguments, nodes, Math.Min(200, count)))
            Publish(first);
        for (var tries = 0; nodes.Get("/gc").Descriptors > descriptors + (10 * nodes.Count); tries++)
        {
            if (tries == 200)
                throw new BenchmarkException("The server keeps connections that have been reset");
            Thread.Sleep(20);
        }
        var before = nodes.Get("/gc");
        using (var load = Open(arguments, nodes, count))
        {
            // Caught up, not merely new.
            Publish(load);
            nodes.Get("/gc");
            var after = nodes.Get("/gc");
            load.Publish(1, 0, null);
            Print(new IdleResult(count, before, after));
        }
        return 0;

        void Publish(FanOutLoad load)
        {
            for (var i = 0; i < messages; i++)
                load.Publish(1, 0, null);
        }
    }

    private static FanOutLoad Open(Arguments arguments, FanOutNodes nodes, int count) => new(
        nodes,
        Enum.Parse<FanOutProtocol>(arguments.Text("protocol", nameof(FanOutProtocol.WebSocket))),
        count,
        arguments.Number("size", 100),
        arguments.Has("stalled"));

    private static FanOutResult Measure(FanOutLoad load, FanOutNodes nodes, int burst, Arguments arguments)
    {
        // The generator stands still while the server answers: what is counted on both sides belongs to the window.
        using var other = arguments.Has("other-process") ? Process.GetProcessById(arguments.Number("other-process")) : null;
        var before = nodes.Get("/stats");
        var otherCpu = other?.TotalProcessorTime;
        var latencies = new LatencyHistogram();
        var cpu = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var isComplete = TryRun(load, burst, arguments.Seconds("seconds", 3), arguments, latencies, out var messages, out var deliveries);
        var elapsed = watch.Elapsed;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        if (!isComplete)
            return FanOutResult.Stalled(burst);
        other?.Refresh();
        otherCpu = other?.TotalProcessorTime - otherCpu;
        var after = nodes.Get("/stats");
        return new FanOutResult(
            burst,
            messages,
            deliveries,
            elapsed.TotalSeconds,
            latencies.Microseconds(0.5),
            latencies.Microseconds(0.99),
            after.CpuSeconds - before.CpuSeconds,
            cpu.TotalSeconds,
            after.AllocatedBytes - before.AllocatedBytes,
            IsStalled: false,
            otherCpu?.TotalSeconds ?? 0);
    }

    /// <summary>Publishes burst after burst for this time, and <c>--least</c> messages.</summary>
    private static bool TryRun(
        FanOutLoad load, int burst, double seconds, Arguments arguments, LatencyHistogram? latencies, out long messages, out long deliveries)
    {
        var interval = arguments.Number("interval", 0);
        var least = arguments.Number("least", 1);
        var watch = Stopwatch.StartNew();
        messages = deliveries = 0;
        do
        {
            var received = load.Publish(burst, interval, latencies);
            if (received < 0)
                return false;
            messages += burst;
            deliveries += received;
        }
        while (watch.Elapsed.TotalSeconds < seconds || messages < least);
        return true;
    }

    private static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result));
}
