using System.Net;

namespace RealtimeKit.Listener;

/// <summary>What serves one path: a WebSocket, and a handler for each method.</summary>
internal sealed class Route
{
    private readonly SortedDictionary<string, RequestHandler> _handlers = new(StringComparer.Ordinal);
    private RequestHandler? _webSocket;

    /// <summary>The methods that the path answers, as <c>Allow</c> lists them (RFC 9110 §10.2.1).</summary>
    public string Allow => string.Join(", ", _webSocket is null ? _handlers.Keys : _handlers.Keys.Union(["GET"]).Order(StringComparer.Ordinal));

    /// <returns><see langword="false"/> where the path has a WebSocket.</returns>
    public bool TryAddWebSocket(RequestHandler handler) => Interlocked.CompareExchange(ref _webSocket, handler, null) is null;

    /// <returns><see langword="false"/> where the path has a handler for the method.</returns>
    public bool TryAdd(string method, RequestHandler handler) => _handlers.TryAdd(method, handler);

    /// <returns><see langword="null"/> where the path does not answer the method.</returns>
    public RequestHandler? Find(HttpListenerRequest request)
    {
        var handler = _handlers.GetValueOrDefault(request.HttpMethod);

        // A WebSocket and, say, an event stream may share a path. What is no GET at all gets 405 for it, and a GET without Upgrade 426.
        return _webSocket is not null && request.HttpMethod == "GET" && (handler is null || request.Headers["Upgrade"] is not null) ? _webSocket : handler;
    }
}
