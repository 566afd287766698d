using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Echo;

/// <summary>/ws: sends every message back as it came.</summary>
internal static class EchoEndpoint
{
    private static int _connections;

    public static int Connections => Volatile.Read(ref _connections);

    public static void MapEcho(this IEndpointRouteBuilder endpoints, EchoOptions options) =>
        endpoints.MapWebSocket("/ws", Limits(options), EchoAsync);

    public static async Task EchoAsync(WebSocketConnection connection)
    {
        Interlocked.Increment(ref _connections);
        try
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync(message.Payload, message.Type);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    public static void Raise(WebSocketConnectionOptions limits, EchoOptions options)
    {
        limits.MaxMessageSize = options.MaxMessage;
        limits.MaxFragmentsPerMessage = 1_000_000;
        limits.ControlFramesPerSecond = 10_000;
        limits.ControlFrameBurst = 10_000;
    }

    private static PerMessageDeflateOptions Compression(bool takesOver) => new()
    {
        ServerContextTakeover = takesOver,
        ClientContextTakeover = takesOver,
        MinimumSize = 0,
        MaxInflateRatio = 0,
    };

    /// <summary>An echo has no secrets, and conformance suites go past the defaults. An application should do neither.</summary>
    public static void SetLimits(WebSocketEndpointOptions endpoint, EchoOptions options)
    {
        endpoint.Compression = options.Compression == "off" ? null : Compression(takesOver: options.Compression == "takeover");
        Raise(endpoint.Connection, options);
    }

    private static WebSocketEndpointOptions Limits(EchoOptions options)
    {
        var endpoint = new WebSocketEndpointOptions { Origins = OriginPolicy.Any, SubProtocols = options.SubProtocols };
        SetLimits(endpoint, options);
        return endpoint;
    }
}
