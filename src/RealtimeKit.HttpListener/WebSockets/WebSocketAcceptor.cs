using System.Net;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener;

/// <summary>The server's side of the opening handshake on HttpListener: checks the request, and accepts it or answers why not.</summary>
internal static partial class WebSocketAcceptor
{
    /// <summary>Accepts a request's handshake, or answers why not.</summary>
    /// <returns><see langword="null"/> where it was refused.</returns>
    public static async Task<AcceptedWebSocket?> AcceptAsync(
        HttpListenerContext context, HttpListenerWebSocketOptions options, ConnectionRegistry? registry, ILogger logger)
    {
        var handshake = Validate(context.Request, options.Handshake);
        if (!handshake.IsAccepted)
        {
            Log.HandshakeRefused(logger, handshake.StatusCode, handshake.Reason);
            handshake.WriteHeaders(context.Response, static (response, name, value) => response.Headers[name] = value);
            await context.RespondAsync(handshake.StatusCode, handshake.Reason).ConfigureAwait(false);
            return null;
        }

        if (!options.Origins.IsAllowed(context.Request))
        {
            OriginRefusal.Log(logger, "WebSocket", context.Request, options.Origins);
            await context.RespondAsync(403, "This origin may not connect (RFC 6455 §10.2).").ConfigureAwait(false);
            return null;
        }

        if (options.Accept is { } accept)
        {
            var offer = new WebSocketOffer(new(context.Request.Headers["Sec-WebSocket-Protocol"]), options.Handshake.MaxListElements, handshake.SubProtocol);
            if (!await accept(offer, context).ConfigureAwait(false))
            {
                await RefuseAsync(context, logger).ConfigureAwait(false);
                return null;
            }

            handshake = handshake with { SubProtocol = offer.SubProtocol };
        }

        if (options.Accepting is { } accepting && !await accepting(context, handshake.SubProtocol).ConfigureAwait(false))
            return null;

        if (await TakeAsync(context, handshake, options, logger).ConfigureAwait(false) is not { } socket)
            return null;

        var accepted = new AcceptedWebSocket(context);
        var connectionOptions = options.Connection;
        if (handshake.SubProtocol is not null)
        {
            connectionOptions = connectionOptions.Clone();
            connectionOptions.SubProtocol = handshake.SubProtocol;
        }

        var transport = new BclWebSocketTransport(new ContextWebSocket(socket, context), leaveOpen: false);
        var limiter = options.RateLimits?.Open(context);
        accepted.Start(new CodecWebSocketConnection(transport, connectionOptions, limiter: limiter), registry, session: null, limiter);
        return accepted;
    }

    private static async Task<WebSocket?> TakeAsync(
        HttpListenerContext context, WebSocketHandshakeResult handshake, HttpListenerWebSocketOptions options, ILogger logger)
    {
        try
        {
            var accepted = await context.AcceptWebSocketAsync(handshake.SubProtocol, options.Connection.KeepAliveInterval).ConfigureAwait(false);
            return accepted.WebSocket;
        }
#pragma warning disable CA1031 // The client has gone meanwhile.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.HandshakeFailed(logger, error.Message);
            context.Abort();
            return null;
        }
    }

    private static WebSocketHandshakeResult Validate(HttpListenerRequest request, WebSocketHandshakeOptions options)
    {
        var headers = request.Headers;
        return WebSocketHandshake.Validate(
            new WebSocketHandshakeRequest
            {
                Method = request.HttpMethod,
                HttpVersion = request.ProtocolVersion,
                Connection = Values("Connection"),
                Upgrade = Values("Upgrade"),
                Key = Values("Sec-WebSocket-Key"),
                Version = Values("Sec-WebSocket-Version"),
                SubProtocols = Values("Sec-WebSocket-Protocol"),
                Extensions = Values("Sec-WebSocket-Extensions"),
            },
            options);

        WebSocketHeaderValues Values(string name) => new(headers[name]);
    }

    /// <summary>Refuses with the status that the application has set, or else with 403.</summary>
    private static ValueTask RefuseAsync(HttpListenerContext context, ILogger logger)
    {
        if (context.Response.StatusCode == 200)
            context.Response.StatusCode = 403;
        Log.HandshakeRefused(logger, context.Response.StatusCode, "The application does not accept it.");
        context.LeaveBody();
        return context.CloseAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.HandshakeRefused, LogLevel.Information, "WebSocket handshake refused with {StatusCode}: {Reason}", EventName = nameof(RealtimeEventIds.HandshakeRefused))]
        public static partial void HandshakeRefused(ILogger logger, int statusCode, string reason);

        [LoggerMessage(RealtimeEventIds.HandshakeFailed, LogLevel.Information, "WebSocket handshake failed: {Message}", EventName = nameof(RealtimeEventIds.HandshakeFailed))]
        public static partial void HandshakeFailed(ILogger logger, string message);
    }
}
