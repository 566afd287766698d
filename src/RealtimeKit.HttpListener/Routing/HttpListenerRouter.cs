using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using RealtimeKit;
using RealtimeKit.Listener;

namespace System.Net;

/// <summary>
/// Serves a listener's requests by their paths: WebSockets, event streams and plain requests. Map everything, then call
/// <see cref="RunAsync"/>.
/// </summary>
/// <remarks>
/// A path is matched whole, with the listener's prefix in it, without regard to case; <c>/name/*</c> matches all that is below
/// <c>/name/</c>. A WebSocket and a GET handler or event stream may share a path: a request with <c>Upgrade</c> goes to the WebSocket.
/// An unknown path gets 404, another method 405 with <c>Allow</c>, no handshake where only a WebSocket is 426, a malformed one 400.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer holds no resource.")]
public sealed partial class HttpListenerRouter
{
    private readonly HttpListener _listener;
    private readonly HttpListenerRouterOptions _options;
    private readonly ILogger _logger;
    private readonly RouteTable _routes = new();
    private readonly ConnectionRegistry _registry = new();
    private bool _isSealed;

    /// <summary>Creates a router without routes.</summary>
    /// <param name="listener">Whose requests are served. It stays the caller's to configure and to dispose.</param>
    /// <param name="options">How to serve it; the defaults where <see langword="null"/>.</param>
    public HttpListenerRouter(HttpListener listener, HttpListenerRouterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(listener);
        _listener = listener;
        _options = options ?? HttpListenerRouterOptions.Default;
        _logger = _options.LoggerFactory.CreateLogger("RealtimeKit.HttpListener");
    }

    /// <summary>Maps a plain request.</summary>
    /// <param name="method">The request's method, with case: <c>GET</c>, <c>POST</c>.</param>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">
    /// Writes the response, which is closed when it returns. When it throws, the exception is logged, and the response is 500, or cut
    /// off where it has begun. The token is cancelled when the router stops; a request that outlasts
    /// <see cref="HttpListenerRouterOptions.DrainTimeout"/> is aborted.
    /// </param>
    /// <returns>The router.</returns>
    /// <exception cref="ArgumentException">The path is malformed, or answers this method already.</exception>
    /// <exception cref="InvalidOperationException">The router runs already.</exception>
    public HttpListenerRouter Map(string method, string path, Func<HttpListenerContext, CancellationToken, Task> handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, path, async (context, stopping) =>
        {
            context.OfferBody();
            var request = new PlainRequest(context);
            _registry.Add(request);
            try
            {
                await handler(context, stopping).ConfigureAwait(false);
            }
            finally
            {
                _registry.Remove(request);
            }

            await context.CloseAsync().ConfigureAwait(false);
        });
    }

    private HttpListenerRouter Add(string method, string path, RequestHandler handler)
    {
        ThrowIfSealed();
        if (!_routes[path].TryAdd(method, handler))
            throw new ArgumentException($"{method} {path} is mapped already.", nameof(path));
        return this;
    }

    private void ThrowIfSealed()
    {
        if (Volatile.Read(ref _isSealed))
            throw new InvalidOperationException("Map everything before the router runs.");
    }
}
