using Microsoft.AspNetCore.Http;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>Accepts WebSockets by hand: in a controller, a middleware, or a framework of one's own.</summary>
public static class HttpContextWebSocketExtensions
{
    /// <summary>Answers the opening handshake of this request.</summary>
    /// <remarks>
    /// Dispose the connection before the request ends (<c>await using</c>): that closes it in order, and a connection that is left
    /// open is aborted. Prefer <c>MapWebSocket</c> where a route is all that is needed.
    /// </remarks>
    /// <param name="context">The request; <c>CONNECT</c> must be routed too where HTTP/2 is served.</param>
    /// <param name="options">Subprotocols, origins, limits; the defaults where <see langword="null"/>.</param>
    /// <returns>
    /// The connection, or <see langword="null"/> where the handshake or the origin was refused and the response already says so.
    /// </returns>
    public static async Task<WebSocketConnection?> AcceptWebSocketAsync(this HttpContext context, WebSocketEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        var logger = HostLoggers.WebSockets(context.RequestServices);
        var registry = HostConnections.For(context.RequestServices);
        var accepted = await WebSocketAcceptor.AcceptAsync(context, (options ?? new WebSocketEndpointOptions()).Copy(context.RequestServices), registry, logger).ConfigureAwait(false);
        if (accepted is null)
            return null;

        context.Response.OnCompleted(
            static state =>
            {
                var accepted = (AcceptedWebSocket)state;
                accepted.Connection.Abort();
                accepted.Release();
                return Task.CompletedTask;
            },
            accepted);
        return accepted.Connection;
    }
}
