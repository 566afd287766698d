using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using BenchmarkDotNet.Attributes;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

/// <summary>
/// The same benchmarks in turns, a round of each after the other, for a machine that has other work to do: what disturbs it disturbs all,
/// and of hundreds of rounds the fastest is compared.
/// </summary>
internal static class Turns
{
    private const int Warmups = 60;
    private const int Rounds = 600;

    public static string Run()
    {
        var text = new StringBuilder();
        Append<ParseBenchmarks>(text);
        Append<WriteBenchmarks>(text);
        return text.ToString();
    }

    private static void Append<T>(StringBuilder text)
        where T : new()
    {
        var type = typeof(T);
        var sample = type.GetProperty("Sample")!;
        var methods = type.GetMethods().Where(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null).OrderBy(method => method.MetadataToken).ToArray();
        text.Append("| per event |").AppendJoin(" |", methods.Select(method => " " + method.Name)).Append(" |\n|---|").Insert(text.Length, "---:|", methods.Length).Append('\n');
        foreach (var value in sample.GetCustomAttribute<ParamsAttribute>()!.Values)
        {
            var benchmark = new T();
            sample.SetValue(benchmark, value);
            type.GetMethod("Setup")!.Invoke(benchmark, null);
            var rows = Measure([.. methods.Select(method => ToAction(method, benchmark))]);
            var events = StreamSamples.Count((StreamSample)value!);
            var first = rows[0].Nanoseconds;
            text.Append(CultureInfo.InvariantCulture, $"| {value} |");
            foreach (var (nanoseconds, bytes) in rows)
                text.Append(CultureInfo.InvariantCulture, $" {nanoseconds / events:#,0.0} ns, **{nanoseconds / first:0.00}**, {bytes / (double)events:0.#} B |");
            text.Append('\n');
        }

        text.Append('\n');
    }

    private static (double Nanoseconds, long Bytes)[] Measure(Action[] actions)
    {
        for (var round = 0; round < Warmups; round++)
            foreach (var action in actions)
                action();

        // Tiered compilation works in the background.
        Thread.Sleep(500);
        var best = new (double Nanoseconds, long Bytes)[actions.Length];
        Array.Fill(best, (double.MaxValue, long.MaxValue));
        for (var round = 0; round < Rounds; round++)
        {
            for (var index = 0; index < actions.Length; index++)
            {
                var bytes = GC.GetAllocatedBytesForCurrentThread();
                var start = Stopwatch.GetTimestamp();
                actions[index]();
                var nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
                bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
                best[index] = (Math.Min(best[index].Nanoseconds, nanoseconds), Math.Min(best[index].Bytes, bytes));
            }
        }

        return best;
    }

    private static Action ToAction(MethodInfo method, object benchmark)
    {
        // What is benchmarked asynchronously completes at once: it reads memory.
        if (method.ReturnType == typeof(Task<int>))
        {
            var run = method.CreateDelegate<Func<Task<int>>>(benchmark);
            return () => run().GetAwaiter().GetResult();
        }

        if (method.ReturnType == typeof(long))
        {
            var run = method.CreateDelegate<Func<long>>(benchmark);
            return () => run();
        }

        var runInt = method.CreateDelegate<Func<int>>(benchmark);
        return () => runInt();
    }
}
