namespace RealtimeKit.Security.Tests;

/// <summary>Hosts with an endpoint to attack at /ws and one for others at /echo.</summary>
internal static class Hosts
{
    /// <summary>Reads without holding a message whole, and says how many bytes each read gave.</summary>
    public static async Task StreamAsync(WebSocketConnection connection, Action<long> read)
    {
        while (connection.State == WebSocketState.Open)
        {
            var result = await connection.ReadAsync();
            if (result.MessageType == WebSocketMessageType.Close)
                return;
            read(result.Payload.Length);
            connection.AdvanceTo(result.Payload.End);
        }
    }

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
