namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A way to tell everybody: its name in the report, the server's <c>--impl</c>, and what the load must speak.</summary>
internal sealed record FanOutContender(string Name, string Implementation, FanOutProtocol Protocol)
{
    public static readonly FanOutContender[] All =
    [
        new("loop of WebSocket.SendAsync", "fan-loop", FanOutProtocol.WebSocket),
        new("SignalR group", "fan-signalr", FanOutProtocol.SignalR),
        new("ours, a topic", "fan-topics-ws", FanOutProtocol.WebSocket),
        new("ours, loop of prepared sends", "fan-prepared-ws", FanOutProtocol.WebSocket),
        new("straight to the sockets (floor)", "fan-sockets", FanOutProtocol.WebSocket),
        new("TypedResults, a channel each", "fan-results", FanOutProtocol.EventStream),
        new("bytes, written and flushed", "fan-bytes", FanOutProtocol.EventStream),
        new("ours, a topic", "fan-topics-sse", FanOutProtocol.EventStream),
        new("ours, loop of prepared events", "fan-prepared-sse", FanOutProtocol.EventStream),
    ];

    public static FanOutContender Find(string implementation) =>
        All.FirstOrDefault(contender => contender.Implementation == implementation)
        ?? throw new BenchmarkException($"--impl must be of {string.Join(", ", All.Select(contender => contender.Implementation))}");

    /// <summary>A loop by its nature waits for whoever does not read: shown for the framework's alone.</summary>
    public bool IsWorthStalling => Implementation is not ("fan-prepared-ws" or "fan-prepared-sse" or "fan-sockets");

    public bool IsEventStream => Protocol == FanOutProtocol.EventStream;
}

internal enum FanOutProtocol
{
    WebSocket,
    SignalR,
    EventStream,
}
