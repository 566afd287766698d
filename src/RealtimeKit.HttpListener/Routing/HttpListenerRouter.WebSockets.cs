using RealtimeKit;
using RealtimeKit.WebSockets;

namespace System.Net;

public sealed partial class HttpListenerRouter
{
    /// <summary>Maps a WebSocket endpoint with the default options: same origin only, no subprotocols, the default limits.</summary>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">
    /// Serves one connection, until it returns: then the connection is closed with 1000. When it throws, the exception is logged and
    /// the connection closed with 1011. It needs neither to close nor to dispose the connection.
    /// </param>
    /// <returns>The router.</returns>
    /// <exception cref="ArgumentException">The path is malformed, or has a WebSocket already.</exception>
    /// <exception cref="InvalidOperationException">The router runs already.</exception>
    public HttpListenerRouter MapWebSocket(string path, Func<WebSocketConnection, Task> handler) =>
        MapWebSocket(path, new HttpListenerWebSocketOptions(), handler);

    /// <inheritdoc cref="MapWebSocket(string, Func{WebSocketConnection, Task})"/>
    public HttpListenerRouter MapWebSocket(string path, Func<WebSocketConnection, HttpListenerContext, Task> handler) =>
        MapWebSocket(path, new HttpListenerWebSocketOptions(), handler);

    /// <summary>Maps a WebSocket endpoint.</summary>
    /// <inheritdoc cref="MapWebSocket(string, Func{WebSocketConnection, Task})"/>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="options">Subprotocols, origins, limits; copied here.</param>
    /// <param name="handler">Serves one connection, until it returns.</param>
    public HttpListenerRouter MapWebSocket(string path, HttpListenerWebSocketOptions options, Func<WebSocketConnection, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return MapWebSocket(path, options, (connection, _) => handler(connection));
    }

    /// <inheritdoc cref="MapWebSocket(string, HttpListenerWebSocketOptions, Func{WebSocketConnection, Task})"/>
    public HttpListenerRouter MapWebSocket(string path, HttpListenerWebSocketOptions options, Func<WebSocketConnection, HttpListenerContext, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        ThrowIfSealed();
        var endpoint = new WebSocketEndpoint(options.Copy(_options), handler, _registry, _logger);
        if (!_routes[path].TryAddWebSocket((context, _) => endpoint.InvokeAsync(context)))
            throw new ArgumentException($"{path} has a WebSocket already.", nameof(path));
        return this;
    }
}
