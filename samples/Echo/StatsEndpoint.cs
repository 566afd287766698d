using System.Diagnostics;
using System.Text.Json.Serialization;

namespace RealtimeKit.Samples.Echo;

/// <summary>/stats and /gc: what the process has used, for load generators.</summary>
internal static class StatsEndpoint
{
    private static readonly string[] GetOrPost = [HttpMethods.Get, HttpMethods.Post];

    public static void MapStats(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/stats", WriteAsync);
        endpoints.MapMethods("/gc", GetOrPost, context =>
        {
            Collect();
            return WriteAsync(context);
        });
    }

    public static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    public static Stats Read()
    {
        using var process = Process.GetCurrentProcess();
        return new Stats(
            GC.GetTotalAllocatedBytes(precise: true),
            GC.CollectionCount(0),
            process.WorkingSet64,
            EchoEndpoint.Connections + SseEndpoint.Streams,
            (long)process.TotalProcessorTime.TotalMilliseconds,
            process.Id);
    }

    private static Task WriteAsync(HttpContext context) => context.Response.WriteAsJsonAsync(Read(), StatsJson.Default.Stats);
}

internal sealed record Stats(long AllocatedBytes, int Gen0, long WorkingSet, int Connections, long CpuMs, int Pid);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Stats))]
internal sealed partial class StatsJson : JsonSerializerContext;
