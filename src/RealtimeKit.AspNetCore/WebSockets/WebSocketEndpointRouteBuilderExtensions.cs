using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps WebSocket endpoints.</summary>
public static class WebSocketEndpointRouteBuilderExtensions
{
    // HTTP/2 WebSockets arrive as CONNECT (RFC 8441 §5).
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Connect];

    /// <summary>Maps a WebSocket endpoint with the default options: same origin only, no subprotocols, the default limits.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="handler">
    /// Serves one connection, until it returns: then the connection is closed with 1000. When it throws, the exception is logged and
    /// the connection closed with 1011. It needs neither to close nor to dispose the connection.
    /// </param>
    /// <returns>A builder for conventions: authorization, CORS, rate limits, filters of any endpoint.</returns>
    public static IEndpointConventionBuilder MapWebSocket(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Func<WebSocketConnection, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapWebSocket(pattern, new WebSocketEndpointOptions(), (connection, _) => handler(connection));
    }

    /// <inheritdoc cref="MapWebSocket(IEndpointRouteBuilder, string, Func{WebSocketConnection, Task})"/>
    public static IEndpointConventionBuilder MapWebSocket(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Func<WebSocketConnection, HttpContext, Task> handler) =>
        endpoints.MapWebSocket(pattern, new WebSocketEndpointOptions(), handler);

    /// <summary>Maps a WebSocket endpoint.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="options">Subprotocols, origins, limits; copied here.</param>
    /// <param name="handler">
    /// Serves one connection, until it returns: then the connection is closed with 1000. When it throws, the exception is logged and
    /// the connection closed with 1011. It needs neither to close nor to dispose the connection.
    /// </param>
    /// <returns>A builder for conventions: authorization, CORS, rate limits, filters of any endpoint.</returns>
    public static IEndpointConventionBuilder MapWebSocket(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, WebSocketEndpointOptions options, Func<WebSocketConnection, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapWebSocket(pattern, options, (connection, _) => handler(connection));
    }

    /// <inheritdoc cref="MapWebSocket(IEndpointRouteBuilder, string, WebSocketEndpointOptions, Func{WebSocketConnection, Task})"/>
    public static IEndpointConventionBuilder MapWebSocket(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, WebSocketEndpointOptions options, Func<WebSocketConnection, HttpContext, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        var logger = HostLoggers.WebSockets(endpoints.ServiceProvider);
        var endpoint = new WebSocketEndpoint(options.Copy(endpoints.ServiceProvider), handler, HostConnections.For(endpoints.ServiceProvider), logger);
        return endpoints.MapMethods(pattern, Methods, endpoint.InvokeAsync).WithDisplayName($"WebSocket {pattern}").DisableCookieRedirect();
    }
}
