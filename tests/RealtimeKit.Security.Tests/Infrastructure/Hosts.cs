namespace RealtimeKit.Security.Tests;

/// <summary>Hosts with an endpoint to attack at /ws and one for others at /echo.</summary>
internal static class Hosts
{
    public static Task<TestServerHost> StartAsync(Wire wire, Action<WebSocketEndpointOptions>? configure = null, Func<WebSocketConnection, Task>? handler = null)
    {
        var options = new WebSocketEndpointOptions { ForceStream = wire.IsStream() };
        configure?.Invoke(options);
        return TestServerHost.StartAsync(wire, app =>
        {
            app.MapWebSocket("/ws", options, handler ?? Handlers.EchoAsync);
            app.MapWebSocket("/echo", Handlers.EchoAsync);
        });
    }
}
