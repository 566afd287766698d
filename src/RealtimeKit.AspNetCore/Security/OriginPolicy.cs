using Microsoft.AspNetCore.Http;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// Which web pages may connect. Browsers do not apply CORS to WebSockets, and send cookies along: only the server's look at the
/// <c>Origin</c> header keeps another site's page from acting as the user (cross-site WebSocket hijacking, RFC 6455 §10.2).
/// </summary>
/// <remarks>
/// <para>A request without <c>Origin</c> comes from no browser and is allowed, unless <see cref="RequireOrigin"/> says otherwise.</para>
/// <para>Origins are compared whole: scheme, host and port, the host without regard to case, no suffixes, no wildcards. The
/// request's own origin is what ASP.NET Core says it is, so behind a proxy it is right only with the forwarded headers middleware.
/// A policy is immutable and thread-safe.</para>
/// </remarks>
public sealed class OriginPolicy
{
    private readonly Kind _kind;
    private readonly string[] _allowed;
    private readonly bool _isRequired;

    private OriginPolicy(Kind kind, string[] allowed, bool isRequired = false)
    {
        _kind = kind;
        _allowed = allowed;
        _isRequired = isRequired;
    }

    private enum Kind : byte
    {
        SameOrigin,
        Listed,
        Any,
    }

    /// <summary>Only pages of the request's own origin. The default.</summary>
    public static OriginPolicy SameOrigin { get; } = new(Kind.SameOrigin, []);

    /// <summary>
    /// Pages of every origin, opaque ones included. Safe only where the connection carries no authority that a browser adds by
    /// itself: no cookies, no client certificates, no reachability of an internal network.
    /// </summary>
    public static OriginPolicy Any { get; } = new(Kind.Any, []);

    /// <summary>
    /// Only the origins listed; list the server's own too where its pages connect. A list does not depend on the <c>Host</c> header,
    /// so it also stops DNS rebinding.
    /// </summary>
    /// <param name="origins">Origins as browsers write them: <c>https://example.com</c>, <c>http://localhost:3000</c>.</param>
    /// <returns>The policy.</returns>
    /// <exception cref="ArgumentException">
    /// A value is not scheme, host and optional port: it has a path, a trailing slash or a wildcard, or is the opaque <c>null</c>,
    /// which any sandboxed page can send.
    /// </exception>
    public static OriginPolicy Only(params IEnumerable<string> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        var allowed = origins.ToArray();
        foreach (var origin in allowed)
            if (!WebOrigin.TryParse(origin, out _))
                throw new ArgumentException($"'{origin}' is not an origin: write scheme://host or scheme://host:port, without a path or a trailing slash.", nameof(origins));
        return new OriginPolicy(Kind.Listed, allowed);
    }

    /// <summary>The same policy, which also refuses a request without <c>Origin</c>: for endpoints that only browsers may use.</summary>
    /// <returns>The stricter policy.</returns>
    public OriginPolicy RequireOrigin() => new(_kind, _allowed, isRequired: true);

    /// <summary>Whether a request may connect.</summary>
    /// <param name="request">The request.</param>
    /// <returns><see langword="false"/> where it must be refused with 403 (RFC 6455 §4.2.2).</returns>
    public bool IsAllowed(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var origins = request.Headers.Origin;
        if (origins.Count == 0)
            return !_isRequired;
        if (_kind == Kind.Any)
            return true;
        return origins.Count == 1 && WebOrigin.TryParse(origins[0], out var origin)
            && (_kind == Kind.SameOrigin ? origin.Equals(WebOrigin.Of(request)) : IsListed(origin));
    }

    /// <summary>
    /// Whether only the scheme stands between a refused page and its own server: the page came over TLS, which a proxy in front ended
    /// without saying so.
    /// </summary>
    internal bool IsRefusedForScheme(HttpRequest request) =>
        _kind == Kind.SameOrigin && !request.IsHttps
        && request.Headers.Origin is [var value] && WebOrigin.TryParse(value, out var origin)
        && origin.Equals(WebOrigin.Of("https", request.Host));

    /// <summary>With whom an allowed response is shared beyond its own origin, as CORS says it (Fetch §3.3).</summary>
    internal OriginSharing GetSharing(HttpRequest request)
    {
        if (_kind == Kind.SameOrigin || request.Headers.Origin is not [var value])
            return OriginSharing.None;
        if (_kind == Kind.Any)
            return OriginSharing.WithAny;
        return WebOrigin.TryParse(value, out var origin) && origin.Equals(WebOrigin.Of(request)) ? OriginSharing.None : OriginSharing.WithThis;
    }

    private bool IsListed(WebOrigin origin)
    {
        foreach (var value in _allowed)
            if (WebOrigin.TryParse(value, out var allowed) && origin.Equals(allowed))
                return true;
        return false;
    }
}
