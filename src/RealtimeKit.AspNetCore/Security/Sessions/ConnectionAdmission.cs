using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>Lets a connection in, before anything is upgraded or opened for it: whose authentication holds, and whom no limit keeps out.</summary>
internal static partial class ConnectionAdmission
{
    // Where there are no options: the same for all, as the defaults count nothing across users of different hosts by intent.
    private static readonly RealtimeOptions Defaults = new();

    /// <summary>Lets a connection in and gives its request a session where there is anything to count or to expire.</summary>
    /// <returns><see langword="false"/> where it was refused and the response says so.</returns>
    public static async ValueTask<bool> AdmitAsync(HttpContext context, string kind, bool isWebSocket, ILogger logger)
    {
        var options = context.RequestServices?.GetService<IOptions<RealtimeOptions>>()?.Value ?? Defaults;
        var user = AnonymousUser.UserOf(context);
        var isKnown = user.Identities.Any(static identity => identity.IsAuthenticated);
        var userId = isKnown ? options.UserId(user) : null;
        var expires = isKnown ? ExpiryOf(context, user) : null;
        if (options.CloseOnExpiry && TimeLeft(options, expires) <= TimeSpan.Zero)
        {
            Log.Expired(logger, kind, userId);
            await context.Response.RefuseAsync(StatusCodes.Status401Unauthorized, "The authentication has expired.").ConfigureAwait(false);
            return false;
        }

        if (options.ConnectLimiter is { } limiter && !await HasPermitAsync(context, limiter, options, kind, userId, logger).ConfigureAwait(false))
            return false;

        var keys = new ConnectionKeys(
            options.MaxConnectionsPerUser is null ? null : userId,
            options.MaxConnectionsPerAddress is null ? null : ConnectionCaps.KeyOf(context.Connection.RemoteIpAddress),
            isWebSocket && options.MaxWebSocketsPerHttp2Connection is not null && HttpProtocol.IsHttp2(context.Request.Protocol) ? context.Connection.Id : null);

        // Anonymous, and nothing to count it by: an idle connection keeps nothing of this.
        if (!isKnown && keys == default && options.MaxConnections is null)
            return true;
        if (options.Caps.TryEnter(keys) is { } limit)
        {
            var status = limit == nameof(RealtimeOptions.MaxConnections) ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status429TooManyRequests;
            await RefuseAsync(context, options.RetryAfter, status, limit, kind, userId, logger).ConfigureAwait(false);
            return false;
        }

        context.Features.Set(new RealtimeSession(options, keys, user, userId, expires, logger));
        return true;
    }

    /// <summary>When the authentication of a request expires: what its scheme says, or else its token.</summary>
    public static DateTimeOffset? ExpiryOf(HttpContext context, ClaimsPrincipal user)
    {
        if (context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc is { } expires)
            return expires;

        // RFC 7519 §4.1.4: seconds since 1970, which may have a fraction.
        return double.TryParse(user.FindFirst("exp")?.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;
    }

    /// <summary>How long a connection may live on; <see langword="null"/> for ever.</summary>
    public static TimeSpan? TimeLeft(RealtimeOptions options, DateTimeOffset? expires) =>
        expires is null ? null : expires.Value - options.TimeProvider.GetUtcNow() + options.ExpiryGrace;

    private static async ValueTask<bool> HasPermitAsync(
        HttpContext context, PartitionedRateLimiter<HttpContext> limiter, RealtimeOptions options, string kind, string? userId, ILogger logger)
    {
        using var lease = await limiter.AcquireAsync(context, 1, context.RequestAborted).ConfigureAwait(false);
        if (lease.IsAcquired)
            return true;
        var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var own) ? own : options.RetryAfter;
        await RefuseAsync(context, after, StatusCodes.Status429TooManyRequests, nameof(RealtimeOptions.ConnectLimiter), kind, userId, logger).ConfigureAwait(false);
        return false;
    }

    private static Task RefuseAsync(HttpContext context, TimeSpan retryAfter, int statusCode, string limit, string kind, string? userId, ILogger logger)
    {
        Log.LimitReached(logger, kind, statusCode, limit, userId, context.Connection.RemoteIpAddress?.ToString());
        context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return context.Response.RefuseAsync(statusCode, "Too many connections. Try again later.");
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.LimitReached, LogLevel.Information, "{Kind} refused with {StatusCode}: {Limit} is reached. User {UserId}, address {Address}.", EventName = nameof(RealtimeEventIds.LimitReached))]
        public static partial void LimitReached(ILogger logger, string kind, int statusCode, string limit, string? userId, string? address);

        [LoggerMessage(RealtimeEventIds.ExpiredRefused, LogLevel.Information, "{Kind} refused with 401: the authentication of user {UserId} has expired.", EventName = nameof(RealtimeEventIds.ExpiredRefused))]
        public static partial void Expired(ILogger logger, string kind, string? userId);
    }
}
