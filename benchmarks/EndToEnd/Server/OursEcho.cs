using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>RealtimeKit's own endpoint, as an application writes it; keep-alive as seldom as the framework's, so that both do the same.</summary>
internal static class OursEcho
{
    public static void Map(WebApplication app, string compression) => app.MapWebSocket(
        "/ws",
        new WebSocketEndpointOptions
        {
            Connection = { KeepAliveInterval = TimeSpan.FromMinutes(2) },
            Compression = compression == "off" ? null : new PerMessageDeflateOptions
            {
                ServerContextTakeover = compression == "takeover",
                ClientContextTakeover = compression == "takeover",
            },
        },
        async connection =>
        {
            await foreach (var message in connection.ReadAllAsync())
                await connection.SendAsync(message.Payload, message.Type);
        });
}
