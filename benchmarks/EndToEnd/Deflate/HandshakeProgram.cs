using System.Diagnostics;
using System.Text.Json;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The verb <c>handshake</c>: connects, runs the opening handshake, resets, and begins again.</summary>
internal static class HandshakeProgram
{
    public static int Run(Arguments arguments)
    {
        var port = arguments.Number("port");
        var offer = arguments.Has("deflate") ? arguments.Text("deflate", "permessage-deflate") : null;
        var threads = arguments.Number("threads", 8);
        using var stats = new StatsClient(port);
        Shake(arguments.Seconds("warmup", 1));
        var before = stats.Get("/stats");
        var watch = Stopwatch.StartNew();
        var count = Shake(arguments.Seconds("seconds", 3));
        var elapsed = watch.Elapsed;
        var after = stats.Get("/stats");
        Console.WriteLine(JsonSerializer.Serialize(
            new HandshakeResult(count, elapsed.TotalSeconds, after.CpuSeconds - before.CpuSeconds, after.AllocatedBytes - before.AllocatedBytes)));
        return 0;

        long Shake(double seconds)
        {
            var end = Clock.Nanoseconds + (long)(seconds * 1e9);
            var total = 0L;
            Exception? failure = null;
            var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
            {
                try
                {
                    while (Clock.Nanoseconds < end && Volatile.Read(ref failure) is null)
                    {
                        LoadConnection.Reset(LoadConnection.Handshake(port, offer));
                        Interlocked.Increment(ref total);
                    }
                }
#pragma warning disable CA1031 // Whatever ends one of them ends the run.
                catch (Exception error)
#pragma warning restore CA1031
                {
                    Volatile.Write(ref failure, error);
                }
            })).ToArray();
            foreach (var worker in workers)
                worker.Start();
            foreach (var worker in workers)
                worker.Join();
            return failure is null ? total : throw new BenchmarkException($"A handshake failed: {failure.Message}", failure);
        }
    }
}
