using RealtimeKit;

namespace System.Net;

/// <summary>
/// Which web pages may connect. Browsers do not apply CORS to WebSockets, and send cookies along: only the server's look at the
/// <c>Origin</c> header keeps another site's page from acting as the user (cross-site WebSocket hijacking, RFC 6455 §10.2).
/// </summary>
/// <remarks>
/// <para>A request without <c>Origin</c> comes from no browser and is allowed, unless <see cref="RequireOrigin"/> says otherwise.</para>
/// <para>Origins are compared whole: scheme, host and port, the host without regard to case, no suffixes, no wildcards. The
/// request's own origin is its <c>Host</c> header under the listener's scheme, so behind a proxy that ends TLS nothing is of the same
/// origin: list the origins there. A policy is immutable and thread-safe.</para>
/// </remarks>
public sealed class HttpListenerOriginPolicy
{
    private readonly OriginRules _rules;

    private HttpListenerOriginPolicy(OriginRules rules) => _rules = rules;

    /// <summary>Only pages of the request's own origin. The default.</summary>
    public static HttpListenerOriginPolicy SameOrigin { get; } = new(OriginRules.SameOrigin);

    /// <summary>
    /// Pages of every origin, opaque ones included. Safe only where the connection carries no authority that a browser adds by
    /// itself: no cookies, no reachability of this machine or an internal network.
    /// </summary>
    public static HttpListenerOriginPolicy Any { get; } = new(OriginRules.Any);

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
    public static HttpListenerOriginPolicy Only(params IEnumerable<string> origins) => new(OriginRules.Only(origins));

    /// <summary>The same policy, which also refuses a request without <c>Origin</c>: for endpoints that only browsers may use.</summary>
    /// <returns>The stricter policy.</returns>
    public HttpListenerOriginPolicy RequireOrigin() => new(_rules.RequireOrigin());

    /// <summary>Whether a request may connect.</summary>
    /// <param name="request">The request.</param>
    /// <returns><see langword="false"/> where it must be refused with 403 (RFC 6455 §4.2.2).</returns>
    public bool IsAllowed(HttpListenerRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _rules.IsAllowed(ClaimOf(request));
    }

    internal bool IsRefusedForScheme(HttpListenerRequest request) => _rules.IsRefusedForScheme(ClaimOf(request));

    internal OriginSharing GetSharing(HttpListenerRequest request) => _rules.GetSharing(ClaimOf(request));

    private static OriginClaim ClaimOf(HttpListenerRequest request)
    {
        var origin = request.Headers["Origin"];
        return new OriginClaim(origin is not null, origin, request.IsSecureConnection ? "https" : "http", request.UserHostName);
    }
}
