using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>What happens to a request before its stream starts: it is refused with a status, or its response gets its headers.</summary>
internal static partial class ServerSentEventAcceptor
{
    /// <summary>Checks the request.</summary>
    /// <returns>What it asks; <see langword="null"/> where it was refused and the response says so.</returns>
    public static async ValueTask<ServerSentEventRequest?> AcceptAsync(HttpContext context, ServerSentEventEndpointOptions options, ILogger logger)
    {
        if (!options.Origins.IsAllowed(context.Request))
        {
            OriginRefusal.Log(logger, "Event stream", context.Request, options.Origins);
            await context.Response.RefuseAsync(StatusCodes.Status403Forbidden, "Pages of this origin may not open this event stream.").ConfigureAwait(false);
            return null;
        }

        // A page of an allowed origin shall be able to read a refusal's status, too.
        AllowOrigin(context, options.Origins, options.AllowCredentials);
        if (ServerSentEventRequest.Read(context.Request) is not { } request)
        {
            Log.CursorRefused(logger, ServerSentEventRequest.MaxLastEventIdLength);
            await context.Response.RefuseAsync(StatusCodes.Status400BadRequest, "Last-Event-ID is malformed or too long.").ConfigureAwait(false);
            return null;
        }

        if (!await ConnectionAdmission.AdmitAsync(context, "Event stream", isWebSocket: false, logger).ConfigureAwait(false))
            return null;
        if (options.Accept is { } accept && !await accept(request, context).ConfigureAwait(false))
        {
            Refuse(context, logger);
            return null;
        }

        if (options.Accepting is { } accepting && !await accepting(request, context).ConfigureAwait(false))
            return null;
        return request;
    }

    /// <summary>Refuses with the status that the application has set, or else for good.</summary>
    public static void Refuse(HttpContext context, ILogger logger)
    {
        var response = context.Response;
        // WHATWG HTML §9.2.3: on 204 an EventSource stops for good, as it does on any status but 200; 204 is the one that says nothing
        // is wrong.
        if (!response.HasStarted && response.StatusCode == StatusCodes.Status200OK)
            response.StatusCode = StatusCodes.Status204NoContent;
        Log.Refused(logger, response.StatusCode);
    }

    /// <summary>Cancelled when the server sees that the client has gone.</summary>
    public static CancellationToken AbortedOf(HttpContext context) => context.RequestAborted;

    /// <summary>Sets the response's headers, starts it, and keeps from it all that would hold its bytes back.</summary>
    /// <returns>Where the events go; <see langword="null"/> where a HEAD request wants none.</returns>
    public static async Task<PipeWriter?> StartAsync(HttpContext context)
    {
        // A stream outlives any deadline of a request.
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();

        var headers = context.Response.Headers;
        headers.ContentType = "text/event-stream";
        headers.CacheControl = "no-cache, no-transform";
        headers["X-Accel-Buffering"] = "no";   // nginx
        headers.ContentLength = null;

        // Middleware that compresses decides here. It shall see a client that accepts no compression: "Content-Encoding: identity", the
        // other way to keep it away, does not belong on the wire (RFC 9110 §8.4).
        var accepted = context.Request.Headers.AcceptEncoding;
        context.Request.Headers.Remove(HeaderNames.AcceptEncoding);
        try
        {
            var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
            body.DisableBuffering();
            await body.StartAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (accepted.Count > 0)
                context.Request.Headers.AcceptEncoding = accepted;
        }

        return HttpMethods.IsHead(context.Request.Method) ? null : context.Response.BodyWriter;
    }

    /// <summary>Lets pages of allowed origins read the response.</summary>
    public static void AllowOrigin(HttpContext context, OriginPolicy origins, bool allowCredentials)
    {
        var headers = context.Response.Headers;
        switch (origins.GetSharing(context.Request))
        {
            case OriginSharing.WithAny:
                headers.AccessControlAllowOrigin = "*";
                break;
            case OriginSharing.WithThis:
                headers.AccessControlAllowOrigin = context.Request.Headers.Origin;
                headers.Vary = StringValues.Concat(headers.Vary, HeaderNames.Origin);
                if (allowCredentials)
                    headers.AccessControlAllowCredentials = "true";
                break;
            default:
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.CursorRefused, LogLevel.Information, "Event stream refused with 400: Last-Event-ID is malformed or longer than {Limit}.", EventName = nameof(RealtimeEventIds.CursorRefused))]
        public static partial void CursorRefused(ILogger logger, int limit);

        [LoggerMessage(RealtimeEventIds.StreamRefused, LogLevel.Debug, "Event stream refused by the application with {StatusCode}.", EventName = nameof(RealtimeEventIds.StreamRefused))]
        public static partial void Refused(ILogger logger, int statusCode);
    }
}
