using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The verbs <c>sse-load</c>, <c>sse-idle</c> and <c>sse-open</c>: each opens streams and prints one line of JSON.</summary>
internal static class EventLoadProgram
{
    public static int RunLoad(Arguments arguments)
    {
        var port = arguments.Number("port");
        var streams = arguments.Number("streams", 1_000);
        var interval = TimeSpan.FromMilliseconds(arguments.Number("interval", 0));
        var seconds = arguments.Seconds("seconds", 5);
        using var stats = new StatsClient(port);
        using var load = new EventLoad(port, "/sse", streams, EventText.Wire(arguments.Number("size", 100)));

        // The pace is known where there is an interval; elsewhere the warm-up finds it.
        var watch = Stopwatch.StartNew();
        var ticks = 0;
        do
        {
            load.Receive(10, interval);
            ticks += 10;
        }
        while (watch.Elapsed.TotalSeconds < arguments.Seconds("warmup", 1));
        ticks = Math.Max(1, (int)(ticks * seconds / watch.Elapsed.TotalSeconds));

        var before = stats.Get("/stats");
        var cpu = Environment.CpuUsage.TotalTime;
        watch.Restart();
        var events = load.Receive(ticks, interval);
        var elapsed = watch.Elapsed;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        var after = stats.Get("/stats");
        Print(new LoadResult(
            events, elapsed.TotalSeconds, 0, 0, after.CpuSeconds - before.CpuSeconds, cpu.TotalSeconds, after.AllocatedBytes - before.AllocatedBytes));
        return 0;
    }

    public static int RunIdle(Arguments arguments)
    {
        var port = arguments.Number("port");
        var streams = arguments.Number("streams", 10_000);
        var path = arguments.Text("path", "/sse");
        var wire = EventText.Wire(arguments.Number("size", 100));
        using var stats = new StatsClient(port);

        // What the first streams leave behind (jitted code, pools, static state) is no one's in particular.
        // Ten descriptors more are the runtime's own, opened when first needed.
        var descriptors = stats.Get("/gc").Descriptors;
        using (Open(Math.Min(200, streams)))
        {
        }
        for (var tries = 0; stats.Get("/gc").Descriptors > descriptors + 10; tries++)
        {
            if (tries == 200)
                throw new BenchmarkException("The server keeps connections that have been reset");
            Thread.Sleep(20);
        }
        var before = stats.Get("/gc");
        using (Open(streams))
        {
            stats.Get("/gc");
            Print(new IdleResult(streams, before, stats.Get("/gc")));
        }
        return 0;

        // In small groups: a burst would leave the server's buffer pools as large as the burst.
        IDisposable Open(int count)
        {
            var groups = new List<EventLoad>();
            for (var left = count; left > 0; left -= 50)
            {
                var group = new EventLoad(port, path, Math.Min(left, 50), path == "/wait" ? "data: open\n\n"u8.ToArray() : wire);
                groups.Add(group);
                if (path == "/wait" || !arguments.Has("silent-until-first-event"))
                    group.WaitForBodies();
            }
            if (path != "/wait" && arguments.Has("silent-until-first-event"))
                Publish(groups, count);
            return new Disposables([.. groups]);
        }

        void Publish(List<EventLoad> groups, int count)
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            http.GetStringAsync($"/publish?streams={count}&ticks=1&interval=0").GetAwaiter().GetResult();
            groups.ForEach(group => group.WaitForBodies());
        }
    }

    public static int RunOpen(Arguments arguments)
    {
        // The first streams of a process wait for its compiler.
        using (var first = new EventLoad(arguments.Number("port"), "/wait", 50, "data: open\n\n"u8.ToArray()))
            first.WaitForBodies();

        using var load = new EventLoad(arguments.Number("port"), "/late", arguments.Number("streams", 5), "data: late\n\n"u8.ToArray());
        var times = load.WaitForHeaders().Order().ToArray();
        Print(new OpenResult(times[times.Length / 2].TotalMilliseconds));
        return 0;
    }

    private static void Print<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result));

    private sealed class Disposables(EventLoad[] loads) : IDisposable
    {
        public void Dispose()
        {
            foreach (var load in loads)
                load.Dispose();
        }
    }
}

/// <summary>When the headers came of a stream whose first event takes two seconds; the median of several.</summary>
internal sealed record OpenResult(double Milliseconds);
