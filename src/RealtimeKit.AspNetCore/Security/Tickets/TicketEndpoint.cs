using System.Globalization;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>Issues tickets to whoever has signed in.</summary>
internal sealed partial class TicketEndpoint(TicketService tickets, TicketEndpointOptions options, ILogger logger)
{
    private const int MaxBodySize = 4 * 1024;

    public async Task IssueAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            await RefuseOrAnswerAsync(context).ConfigureAwait(false);
        }
        catch (TopicRefusedException refused)
        {
            await context.Response.RefuseAsync(refused.StatusCode, refused.Message).ConfigureAwait(false);
        }
        catch (TicketStoreException error)
        {
            Log.StoreFailed(logger, error);
            context.Response.Headers.RetryAfter = "1";
            await context.Response.RefuseAsync(StatusCodes.Status503ServiceUnavailable, "Tickets are not available now. Try again.").ConfigureAwait(false);
        }
    }

    /// <summary>What a page of another origin is told before its request is sent (Fetch §4.8).</summary>
    public async Task AnswerPreflightAsync(HttpContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        var headers = context.Response.Headers;
        if (options.Origins.GetSharing(context.Request) != OriginSharing.None)
        {
            headers.AccessControlAllowMethods = "POST";
            headers.AccessControlAllowHeaders = "authorization, content-type";
            headers.AccessControlMaxAge = "600";
        }

        headers.Allow = "POST, OPTIONS";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task RefuseOrAnswerAsync(HttpContext context)
    {
        var user = AnonymousUser.UserOf(context);
        if (!user.Identities.Any(static identity => identity.IsAuthenticated))
            throw new TopicRefusedException(401, "Sign in first.");
        if (!await HasPermitAsync(context).ConfigureAwait(false))
            throw new TopicRefusedException(429, "Too many tickets. Try again later.");

        // Besides, a page of another origin cannot send this type without being asked about first (Fetch §4.8).
        if (!context.HasJson())
            throw new TopicRefusedException(415, """Post {"endpoint": NAME} as application/json.""");
        var endpoint = Read(await context.ReadBodyAsync(MaxBodySize).ConfigureAwait(false));
        var issue = await tickets.IssueAsync(
            user, endpoint, TicketRequest.OriginOf(context.Request), ConnectionAdmission.ExpiryOf(context, user), context.RequestAborted).ConfigureAwait(false);
        if (issue.Failure == TicketFailure.StoreFull)
            context.Response.Headers.RetryAfter = Math.Ceiling(tickets.Options.Lifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (issue.Ticket is null)
            throw Refused(issue.Failure);
        var answer = new TicketAnswer(issue.Ticket, (int)issue.Lifetime.TotalSeconds);
        await context.SendJsonAsync(StatusCodes.Status200OK, answer, TicketMessageJson.Default.TicketAnswer).ConfigureAwait(false);
    }

    private static TopicRefusedException Refused(TicketFailure failure) => failure switch
    {
        TicketFailure.NotSignedIn => new(401, "The authentication has expired."),
        TicketFailure.EndpointNotAllowed => new(400, "There are no tickets for this endpoint."),
        TicketFailure.UserTooLarge => new(400, "The user has too many claims for a ticket."),
        _ => new(503, "There are too many tickets now. Try again."),
    };

    private static string Read(byte[] body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, TicketMessageJson.Default.TicketWish)?.Endpoint is { } endpoint)
                return endpoint;
        }
        catch (JsonException)
        {
        }

        throw new TopicRefusedException(400, """Post {"endpoint": NAME}.""");
    }

    private async ValueTask<bool> HasPermitAsync(HttpContext context)
    {
        if (options.Limiter is null)
            return true;
        using var lease = await options.Limiter.AcquireAsync(context, 1, context.RequestAborted).ConfigureAwait(false);
        if (!lease.IsAcquired)
        {
            var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var own) ? own : TimeSpan.FromSeconds(1);
            context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return lease.IsAcquired;
    }

    private async ValueTask<bool> CheckOriginAsync(HttpContext context)
    {
        if (options.Origins.IsAllowed(context.Request))
        {
            ServerSentEventAcceptor.AllowOrigin(context, options.Origins, options.AllowCredentials);
            return true;
        }

        OriginRefusal.Log(logger, "Ticket", context.Request, options.Origins);
        await context.Response.RefuseAsync(StatusCodes.Status403Forbidden, "Pages of this origin get no tickets.").ConfigureAwait(false);
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.TicketStoreFailed, LogLevel.Error, "The store of tickets cannot be reached.", EventName = nameof(RealtimeEventIds.TicketStoreFailed))]
        public static partial void StoreFailed(ILogger logger, Exception error);
    }
}
