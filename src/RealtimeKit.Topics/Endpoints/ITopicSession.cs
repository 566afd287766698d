using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>One WebSocket of an endpoint for topics, from before its handshake is answered.</summary>
internal interface ITopicSession : IAsyncDisposable
{
    /// <summary>
    /// Serves the connection until it ends. Whoever calls closes it in order when this returns, with 1011 when it throws, and with 1001
    /// when the host stops meanwhile. What delivers ends before this returns; the session is disposed when the request ends.
    /// </summary>
    /// <param name="connection">The connection, which stays the caller's.</param>
    Task RunAsync(WebSocketConnection connection);
}
