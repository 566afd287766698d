using Microsoft.AspNetCore.Http.Metadata;

namespace RealtimeKit.AspNetCore;

/// <summary>No client of a stream can show a login page: who is not signed in gets 401 or 403, and not a redirect.</summary>
internal sealed class NoCookieRedirect : IDisableCookieRedirectMetadata
{
    public static NoCookieRedirect Instance { get; } = new();
}
