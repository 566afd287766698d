using System.Net.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A loop of the framework's <c>WebSocket.SendAsync</c>. <c>fan-lossy</c>, for the self-check, leaves one delivery out.</summary>
internal sealed class SocketLoop(bool isLossy) : IFanOut
{
    private readonly SendLoop<WebSocket> _loop = new();
    private long _sent;

    public int Subscribers => _loop.Members.Count;

    public void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.Map("/ws", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            _loop.Members.Add(socket);
            try
            {
                // Holds no buffer while nothing comes; the load says nothing.
                await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
            {
                // The load goes without a close handshake.
            }
            finally
            {
                _loop.Members.Remove(socket);
            }
        });
    }

    public ValueTask PublishAsync(ReadOnlyMemory<byte> message) => _loop.SendAsync(message, (socket, message) =>
        isLossy && ++_sent == 500
            ? default
            : socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None));
}
