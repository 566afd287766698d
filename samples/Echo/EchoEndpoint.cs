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

    private static async Task EchoAsync(WebSocketConnection connection)
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

    private static PerMessageDeflateOptions Compression(bool takesOver) => new()
    {
        ServerContextTakeover = takesOver,
        ClientContextTakeover = takesOver,
        MinimumSize = 0,
        MaxInflateRatio = 0,
    };

    /// <summary>Conformance suites go past the defaults, and an echo has no secrets. An application should do neither.</summary>
    public static void SetLimits(WebSocketEndpointOptions endpoint, EchoOptions options)
    {
        endpoint.Compression = options.Compression == "off" ? null : Compression(takesOver: options.Compression == "takeover");
        endpoint.Connection.MaxMessageSize = options.MaxMessage;
        endpoint.Connection.MaxFragmentsPerMessage = 1_000_000;
        endpoint.Connection.ControlFramesPerSecond = 10_000;
        endpoint.Connection.ControlFrameBurst = 10_000;
    }

    private static WebSocketEndpointOptions Limits(EchoOptions options)
    {
        var endpoint = new WebSocketEndpointOptions { Origins = OriginPolicy.Any, SubProtocols = options.SubProtocols };
        SetLimits(endpoint, options);
        return endpoint;
    }
}
