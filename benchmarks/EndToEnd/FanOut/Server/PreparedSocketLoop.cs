using System.Net.WebSockets;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Our connections without topics: a loop that sends one prepared message to each.</summary>
internal sealed class PreparedSocketLoop : IFanOut
{
    private readonly SendLoop<WebSocketConnection> _loop = new();

    public int Subscribers => _loop.Members.Count;

    public void Map(WebApplication app) => app.MapWebSocket(
        "/ws",
        new WebSocketEndpointOptions { Connection = { KeepAliveInterval = TimeSpan.FromMinutes(2) } },
        async connection =>
        {
            _loop.Members.Add(connection);
            try
            {
                await foreach (var _ in connection.ReadAllAsync())
                {
                }
            }
            finally
            {
                _loop.Members.Remove(connection);
            }
        });

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message) => _loop.SendAsync(
        new PreparedWebSocketMessage(message.Span, WebSocketMessageType.Text),
        static (connection, message) => connection.SendAsync(message));
}
