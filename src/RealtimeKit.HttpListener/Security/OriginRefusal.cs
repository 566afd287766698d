using System.Net;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener;

/// <summary>Logs that a page was refused for its origin, and once, where that is a proxy's doing, how to mend it.</summary>
internal static partial class OriginRefusal
{
    private static bool _schemeHintGiven;

    public static void Log(ILogger logger, string kind, HttpListenerRequest request, HttpListenerOriginPolicy origins)
    {
        var origin = request.Headers["Origin"];
        OriginRefused(logger, kind, origin, request.UserHostName);
        if (origins.IsRefusedForScheme(request) && !Interlocked.Exchange(ref _schemeHintGiven, true))
            SchemeDiffers(logger, kind, origin, request.UserHostName);
    }

    [LoggerMessage(RealtimeEventIds.OriginRefused, LogLevel.Information, "{Kind} refused: the page's origin {Origin} is not allowed to connect to {Host}.", EventName = nameof(RealtimeEventIds.OriginRefused))]
    private static partial void OriginRefused(ILogger logger, string kind, string? origin, string? host);

    [LoggerMessage(RealtimeEventIds.SchemeDiffers, LogLevel.Warning, "{Kind} refused: the page was loaded as {Origin}, but its request arrived as http://{Host}. TLS ends at a proxy "
        + "in front of this server, of which HttpListener knows nothing. Allow the origin by name: HttpListenerOriginPolicy.Only(\"{Origin}\"). "
        + "This is said once.", EventName = nameof(RealtimeEventIds.SchemeDiffers))]
    private static partial void SchemeDiffers(ILogger logger, string kind, string? origin, string? host);
}
