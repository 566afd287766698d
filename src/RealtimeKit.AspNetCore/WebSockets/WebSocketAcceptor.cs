using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>The server's side of the opening handshake on ASP.NET Core: checks the request, and accepts it or answers why not.</summary>
internal static partial class WebSocketAcceptor
{
    /// <summary>Accepts a request's handshake, or answers why not.</summary>
    /// <returns><see langword="null"/> where it was refused.</returns>
    public static async Task<AcceptedWebSocket?> AcceptAsync(HttpContext context, WebSocketEndpointOptions options, ConnectionRegistry? registry, ILogger logger)
    {
        AcceptedWebSocket? accepted = null;
        try
        {
            return accepted = await TryAcceptAsync(context, options, registry, logger).ConfigureAwait(false);
        }
        finally
        {
            if (accepted is null)
                context.FindSession()?.Dispose();
        }
    }

    private static async Task<AcceptedWebSocket?> TryAcceptAsync(HttpContext context, WebSocketEndpointOptions options, ConnectionRegistry? registry, ILogger logger)
    {
        var handshake = Validate(context, options.Handshake);
        if (!handshake.IsAccepted)
        {
            Log.HandshakeRefused(logger, handshake.StatusCode, handshake.Reason);
            await RefuseAsync(context.Response, handshake).ConfigureAwait(false);
            return null;
        }

        if (!options.Origins.IsAllowed(context.Request))
        {
            OriginRefusal.Log(logger, "WebSocket", context.Request, options.Origins);
            await context.Response.RefuseAsync(StatusCodes.Status403Forbidden, "This origin may not connect (RFC 6455 §10.2).").ConfigureAwait(false);
            return null;
        }

        if (!await ConnectionAdmission.AdmitAsync(context, "WebSocket", isWebSocket: true, logger).ConfigureAwait(false))
            return null;
        if (options.Accept is { } accept)
        {
            var offer = new WebSocketOffer(Values(context.Request.Headers.SecWebSocketProtocol), options.Handshake.MaxListElements, handshake.SubProtocol);
            if (!await accept(offer, context).ConfigureAwait(false))
            {
                Refuse(context.Response, logger);
                return null;
            }

            handshake = handshake with { SubProtocol = offer.SubProtocol };
        }

        if (options.Accepting is { } accepting && !await accepting(context, handshake.SubProtocol).ConfigureAwait(false))
            return null;

        // Compression that is not agreed on is no error: the connection goes on without it (RFC 7692 §5.1).
        PerMessageDeflateParameters? compression = null;
        if (options.Connection.Compression is { } wanted && RequestTransport.CarriesFrames(context)
            && PerMessageDeflate.TryAccept(Values(context.Request.Headers.SecWebSocketExtensions), wanted, out var parameters, out var response))
        {
            compression = parameters;
            handshake = handshake with { Extensions = response };
        }

        // A WebSocket outlives any deadline of a request.
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();

        var accepted = new AcceptedWebSocket(context);
        var transport = await RequestTransport.TakeAsync(context, handshake, options, accepted).ConfigureAwait(false);
        if (transport is null)
        {
            Log.HandshakeRefused(logger, StatusCodes.Status503ServiceUnavailable, "The server takes no more upgraded connections.");
            await context.Response.RefuseAsync(StatusCodes.Status503ServiceUnavailable, "The server cannot take this connection now.").ConfigureAwait(false);
            return null;
        }

        var limiter = options.RateLimits?.Open(context);
        accepted.Start(new CodecWebSocketConnection(transport, options.Connection, handshake.SubProtocol, compression, limiter), registry, context.FindSession(), limiter);
        return accepted;
    }

    private static WebSocketHandshakeResult Validate(HttpContext context, WebSocketHandshakeOptions options)
    {
        var request = context.Request;
        var headers = request.Headers;
        return WebSocketHandshake.Validate(
            new WebSocketHandshakeRequest
            {
                Method = request.Method,
                HttpVersion = VersionOf(request.Protocol),
                Protocol = context.Features.Get<IHttpExtendedConnectFeature>()?.Protocol,
                Connection = Values(headers.Connection),
                Upgrade = Values(headers.Upgrade),
                Key = Values(headers.SecWebSocketKey),
                Version = Values(headers.SecWebSocketVersion),
                SubProtocols = Values(headers.SecWebSocketProtocol),
                Extensions = Values(headers.SecWebSocketExtensions),
            },
            options);
    }

    private static Version VersionOf(string protocol) => protocol switch
    {
        _ when HttpProtocol.IsHttp11(protocol) => HttpVersion.Version11,
        _ when HttpProtocol.IsHttp2(protocol) => HttpVersion.Version20,
        _ when HttpProtocol.IsHttp3(protocol) => HttpVersion.Version30,
        _ => HttpVersion.Version10,
    };

    private static WebSocketHeaderValues Values(StringValues values) =>
        values.Count <= 1 ? new WebSocketHeaderValues((string?)values) : new WebSocketHeaderValues((string?[]?)values);

    private static Task RefuseAsync(HttpResponse response, WebSocketHandshakeResult handshake)
    {
        handshake.WriteHeaders(response.Headers, static (headers, name, value) => headers[name] = value);
        return response.RefuseAsync(handshake.StatusCode, handshake.Reason);
    }

    /// <summary>Refuses with the status that the application has set, or else with 403.</summary>
    private static void Refuse(HttpResponse response, ILogger logger)
    {
        if (!response.HasStarted && response.StatusCode is StatusCodes.Status200OK)
            response.StatusCode = StatusCodes.Status403Forbidden;
        Log.HandshakeRefused(logger, response.StatusCode, "The application does not accept it.");
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.HandshakeRefused, LogLevel.Information, "WebSocket handshake refused with {StatusCode}: {Reason}", EventName = nameof(RealtimeEventIds.HandshakeRefused))]
        public static partial void HandshakeRefused(ILogger logger, int statusCode, string reason);
    }
}
