using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>Logs that a page was refused for its origin, and once, where that is a proxy's doing, how to mend it.</summary>
internal static partial class OriginRefusal
{
    // Once for each host and kind of endpoint: a factory gives one logger for a category.
    private static readonly ConditionalWeakTable<ILogger, object> SchemeHintsGiven = [];

    /// <summary>Logs a refusal.</summary>
    /// <param name="logger">The endpoint's.</param>
    /// <param name="kind">What was refused.</param>
    /// <param name="request">The request.</param>
    /// <param name="origins">The policy that refused it.</param>
    public static void Log(ILogger logger, string kind, HttpRequest request, OriginPolicy origins)
    {
        var origin = request.Headers.Origin.ToString();
        var host = request.Host.Value ?? "";
        OriginRefused(logger, kind, origin, request.Scheme, host);
        if (origins.IsRefusedForScheme(request) && SchemeHintsGiven.TryAdd(logger, SchemeHintsGiven))
            SchemeDiffers(logger, kind, origin, host);
    }

    [LoggerMessage(RealtimeEventIds.OriginRefused, LogLevel.Information, "{Kind} refused: the page's origin {Origin} is not allowed to connect to {Scheme}://{Host}.", EventName = nameof(RealtimeEventIds.OriginRefused))]
    private static partial void OriginRefused(ILogger logger, string kind, string origin, string scheme, string host);

    [LoggerMessage(RealtimeEventIds.SchemeDiffers, LogLevel.Warning, "{Kind} refused: the page was loaded as {Origin}, but its request arrived as http://{Host}. TLS ends at a proxy "
        + "in front of this server. Let the proxy send X-Forwarded-Proto and call app.UseForwardedHeaders(new() {{ ForwardedHeaders = "
        + "ForwardedHeaders.XForwardedProto }}) before the endpoints (with the proxy in KnownProxies or KnownIPNetworks unless it is on this machine); "
        + "or allow the origin by name: OriginPolicy.Only(\"{Origin}\"). This is said once.", EventName = nameof(RealtimeEventIds.SchemeDiffers))]
    private static partial void SchemeDiffers(ILogger logger, string kind, string origin, string host);
}
