using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>Turns a request whose handshake is accepted into the best transport that its server offers.</summary>
internal static class RequestTransport
{
    /// <summary>Answers the handshake and takes the connection over.</summary>
    /// <returns><see langword="null"/> where the server's limit on upgraded connections is reached; nothing has been sent then.</returns>
    /// <exception cref="NotSupportedException">The server has no WebSockets to offer.</exception>
    public static async Task<WebSocketTransport?> TakeAsync(
        HttpContext context, WebSocketHandshakeResult handshake, WebSocketEndpointOptions options, AcceptedWebSocket owner)
    {
        var features = context.Features;
        if (features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            WriteHeaders(context.Response, handshake);
            var stream = await connect.AcceptAsync().ConfigureAwait(false);
            return new ExtendedConnectTransport(stream, owner, options.Connection.TimeProvider, context.RequestAborted);
        }

        if (features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            WriteHeaders(context.Response, handshake);
            return await UpgradeAsync(context, upgrade, options.ForceStream, owner).ConfigureAwait(false);
        }

        // TestServer, and servers that keep the bytes to themselves: their socket does the framing.
        if (features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true } sockets)
        {
            var socket = await sockets.AcceptAsync(new WebSocketAcceptContext { SubProtocol = handshake.SubProtocol }).ConfigureAwait(false);
            return new BclWebSocketTransport(socket, leaveOpen: false, owner);
        }

        throw new NotSupportedException("This server offers no way to accept a WebSocket: neither an upgrade, nor extended CONNECT, nor a WebSocket feature.");
    }

    /// <summary>Whether the server gives the connection's bytes, so that extensions of the protocol are this library's.</summary>
    public static bool CarriesFrames(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true };

    private static async Task<WebSocketTransport?> UpgradeAsync(HttpContext context, IHttpUpgradeFeature upgrade, bool forceStream, IAbortable owner)
    {
        try
        {
            // Flushes the 101: from here on the connection speaks WebSocket. Kestrel's stream flushes each write by itself, and ends a
            // pending read in order when the request ends.
            var stream = await upgrade.UpgradeAsync().ConfigureAwait(false);
            var pipes = HttpProtocol.IsHttp11(context.Request.Protocol) ? context.Features.Get<IConnectionTransportFeature>()?.Transport : null;
            return pipes is not null && !forceStream && IsKestrelAlone(context, upgrade)
                ? new PipeTransport(pipes, leaveOpen: true, owner, context.Request.IsHttps ? context.RequestAborted : default)
                : new StreamTransport(stream, leaveOpen: true, flushes: pipes is null, owner, isReadEndedByOwner: pipes is not null, context.RequestAborted);
        }
        catch (InvalidOperationException) when (!context.Response.HasStarted)
        {
            // KestrelServerLimits.MaxConcurrentUpgradedConnections
            foreach (var name in (ReadOnlySpan<string>)[HeaderNames.Upgrade, HeaderNames.Connection, HeaderNames.SecWebSocketAccept, HeaderNames.SecWebSocketProtocol, HeaderNames.SecWebSocketExtensions])
                context.Response.Headers.Remove(name);
            return null;
        }
    }

    // The connection's own pipes, past the server's stream, cost a third less CPU for each message. Kestrel implements all features of a
    // request in one object, so another object in place of one of them means that a middleware wants to see the bytes.
    private static bool IsKestrelAlone(HttpContext context, IHttpUpgradeFeature upgrade) =>
        upgrade.GetType().Assembly == typeof(KestrelServer).Assembly && ReferenceEquals(upgrade, context.Features.Get<IHttpResponseBodyFeature>());

    private static void WriteHeaders(HttpResponse response, WebSocketHandshakeResult handshake) =>
        handshake.WriteHeaders(response.Headers, static (headers, name, value) => headers[name] = value);
}
