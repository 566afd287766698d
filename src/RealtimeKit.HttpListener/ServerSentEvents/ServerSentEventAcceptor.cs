using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener;

/// <summary>What happens to a request before its stream starts: it is refused with a status, or its response gets its headers.</summary>
internal static partial class ServerSentEventAcceptor
{
    /// <summary>Checks the request.</summary>
    /// <returns>What it asks; <see langword="null"/> where it was refused and the response says so.</returns>
    public static async ValueTask<ServerSentEventRequest?> AcceptAsync(
        HttpListenerContext context, HttpListenerServerSentEventOptions options, ILogger logger)
    {
        context.LeaveBody();
        if (!options.Origins.IsAllowed(context.Request))
        {
            OriginRefusal.Log(logger, "Event stream", context.Request, options.Origins);
            await context.RespondAsync(403, "Pages of this origin may not open this event stream.").ConfigureAwait(false);
            return null;
        }

        // A page of an allowed origin shall be able to read a refusal's status, too.
        AllowOrigin(context, options.Origins, options.AllowCredentials);
        if (ServerSentEventRequest.Read(context.Request) is not { } request)
        {
            Log.CursorRefused(logger, LastEventId.MaxLength);
            await context.RespondAsync(400, "Last-Event-ID is malformed or too long.").ConfigureAwait(false);
            return null;
        }

        if (options.Accept is { } accept && !await accept(context).ConfigureAwait(false))
        {
            Refuse(context, logger);
            return null;
        }

        if (options.Accepting is { } accepting && !await accepting(request, context).ConfigureAwait(false))
            return null;
        return request;
    }

    /// <summary>Refuses with the status that the application has set, or else for good.</summary>
    public static void Refuse(HttpListenerContext context, ILogger logger)
    {
        // WHATWG HTML §9.2.3: on 204 an EventSource stops for good, as it does on any status but 200; 204 is the one that says nothing
        // is wrong.
        if (context.Response.StatusCode == 200)
            context.Response.StatusCode = 204;
        Log.Refused(logger, context.Response.StatusCode);
    }

    /// <summary>Never cancelled: here only a write shows that a client has gone.</summary>
    public static CancellationToken AbortedOf(HttpListenerContext context) => CancellationToken.None;

    /// <summary>Sets the response's headers, which leave with the opening.</summary>
    /// <returns>Where the events go.</returns>
    public static ValueTask<PipeWriter?> StartAsync(HttpListenerContext context)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers["Cache-Control"] = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";   // nginx

        // HTTP/1.0 knows no chunks: there the end of the connection is the end of the stream. Said of HTTP/1.0, false would mean a length of 0.
        if (context.Request.ProtocolVersion >= HttpVersion.Version11)
            response.SendChunked = true;

        // Topics deliver to one stream after the other.
        return new ValueTask<PipeWriter?>(new ResponseWriter(response.OutputStream, yields: context.Find<TopicEventStream>() is not null));
    }

    /// <summary>Lets pages of allowed origins read the response.</summary>
    public static void AllowOrigin(HttpListenerContext context, HttpListenerOriginPolicy origins, bool allowCredentials)
    {
        var headers = context.Response.Headers;
        switch (origins.GetSharing(context.Request))
        {
            case OriginSharing.WithAny:
                headers["Access-Control-Allow-Origin"] = "*";
                break;
            case OriginSharing.WithThis:
                headers["Access-Control-Allow-Origin"] = context.Request.Headers["Origin"];
                headers.Add("Vary", "Origin");
                if (allowCredentials)
                    headers["Access-Control-Allow-Credentials"] = "true";
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
