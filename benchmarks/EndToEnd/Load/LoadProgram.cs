using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The verbs <c>load</c> and <c>idle</c>: each puts its load on a server and prints one line of JSON.</summary>
internal static class LoadProgram
{
    public static int RunEcho(Arguments arguments)
    {
        var port = arguments.Number("port");
        var connections = arguments.Number("connections", 50);
        var depth = arguments.Number("depth", 1);
        var frames = new EchoFrames(arguments.Number("size", 125), arguments.Has("text"), arguments.Has("raw"), depth);
        using var stats = new StatsClient(port);
        using var load = new EchoLoad(port, connections, depth, frames);

        load.Run(TimeSpan.FromSeconds(arguments.Seconds("warmup", 1)), latencies: null);

        // The generator stands still while the server answers: what is counted on both sides then belongs to the window,
        // but for the messages under way.
        var before = stats.Get("/stats");
        var latencies = new LatencyHistogram();
        var cpu = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var messages = load.Run(TimeSpan.FromSeconds(arguments.Seconds("seconds", 5)), latencies);
        var elapsed = watch.Elapsed;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        var after = stats.Get("/stats");

        if (messages == 0)
            throw new BenchmarkException("Nothing was echoed");
        Print(new LoadResult(
            messages,
            elapsed.TotalSeconds,
            latencies.Microseconds(0.5),
            latencies.Microseconds(0.99),
            after.CpuSeconds - before.CpuSeconds,
            cpu.TotalSeconds,
            after.AllocatedBytes - before.AllocatedBytes));
        return 0;
    }

    public static int RunIdle(Arguments arguments)
    {
        var port = arguments.Number("port");
        var connections = arguments.Number("connections", 10_000);
        var frames = new EchoFrames(125, text: false, arguments.Has("raw"), sendWindow: 1);
        using var stats = new StatsClient(port);

        // What the first connections leave behind (jitted code, pools, static state) is no one's in particular.
        // Ten descriptors more are the runtime's own, opened when first needed.
        var descriptors = stats.Get("/gc").Descriptors;
        using (Open(Math.Min(200, connections)))
        {
        }
        for (var tries = 0; stats.Get("/gc").Descriptors > descriptors + 10; tries++)
        {
            if (tries == 200)
                throw new BenchmarkException("The server keeps connections that have been reset");
            Thread.Sleep(20);
        }
        var before = stats.Get("/gc");
        using (var idle = Open(connections))
        {
            stats.Get("/gc");
            var after = stats.Get("/gc");

            // A server that had closed them would look thrifty.
            idle.AnswerOnce();
            Print(new IdleResult(connections, before, after));
        }
        return 0;

        IIdleConnections Open(int count)
        {
            IIdleConnections opened = arguments.Has("http") ? new HttpConnections(count, port)
                : arguments.Has("deflate") ? new DeflateConnections(count, port, arguments.Text("deflate", "permessage-deflate"))
                : new EchoLoad(port, count, depth: 1, frames);
            opened.AnswerOnce();
            return opened;
        }
    }

    private static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result));
}
