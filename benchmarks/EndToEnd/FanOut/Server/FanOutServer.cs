namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The servers of <c>run-fanout</c>.</summary>
internal static class FanOutServer
{
    public static readonly string[] Implementations = [.. FanOutContender.All.Select(contender => contender.Implementation), "fan-lossy", "fan-hub-ws", "fan-hub-sse"];

    public static void AddServices(IServiceCollection services, string implementation, Arguments arguments)
    {
        if (implementation == "fan-signalr")
            SignalRGroup.AddServices(services);
        else if (implementation.StartsWith("fan-topics-", StringComparison.Ordinal))
            TopicsFanOut.AddServices(services, arguments.Text("redis", ""));
    }

    public static void Map(WebApplication app, string implementation) => FanOutEndpoints.Map(app, implementation switch
    {
        "fan-loop" => new SocketLoop(isLossy: false),
        "fan-lossy" => new SocketLoop(isLossy: true),
        "fan-signalr" => new SignalRGroup(),
        "fan-topics-ws" or "fan-topics-sse" => new TopicsFanOut(),
        "fan-hub-ws" => new HubSockets(),
        "fan-hub-sse" => new HubStreams(),
        "fan-prepared-ws" => new PreparedSocketLoop(),
        "fan-sockets" => new SocketFloor(),
        "fan-results" => new ResultStreams(),
        "fan-bytes" => new ByteStreams(),
        "fan-prepared-sse" => new PreparedEventLoop(),
        _ => throw new BenchmarkException($"--impl must be one of {string.Join(", ", Implementations)}"),
    });
}
