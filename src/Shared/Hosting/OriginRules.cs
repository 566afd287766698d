namespace RealtimeKit;

/// <summary>Which web pages may connect: what each host's public policy stands on. Immutable.</summary>
internal sealed class OriginRules
{
    private readonly Kind _kind;
    private readonly string[] _allowed;
    private readonly bool _isRequired;

    private OriginRules(Kind kind, string[] allowed, bool isRequired = false)
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

    public static OriginRules SameOrigin { get; } = new(Kind.SameOrigin, []);

    public static OriginRules Any { get; } = new(Kind.Any, []);

    /// <exception cref="ArgumentException">A value is not scheme, host and optional port.</exception>
    public static OriginRules Only(IEnumerable<string> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        var allowed = origins.ToArray();
        foreach (var origin in allowed)
            if (!WebOrigin.TryParse(origin, out _))
                throw new ArgumentException($"'{origin}' is not an origin: write scheme://host or scheme://host:port, without a path or a trailing slash.", nameof(origins));
        return new OriginRules(Kind.Listed, allowed);
    }

    public OriginRules RequireOrigin() => new(_kind, _allowed, isRequired: true);

    public bool IsAllowed(in OriginClaim claim)
    {
        if (!claim.IsPresent)
            return !_isRequired;
        if (_kind == Kind.Any)
            return true;
        return WebOrigin.TryParse(claim.Origin, out var origin)
            && (_kind == Kind.SameOrigin ? origin.Equals(WebOrigin.Of(claim.Scheme, claim.Host)) : IsListed(origin));
    }

    /// <summary>
    /// Whether only the scheme stands between a refused page and its own server: the page came over TLS, which a proxy in front ended
    /// without saying so.
    /// </summary>
    public bool IsRefusedForScheme(in OriginClaim claim) =>
        _kind == Kind.SameOrigin && claim.Scheme == "http"
        && WebOrigin.TryParse(claim.Origin, out var origin) && origin.Equals(WebOrigin.Of("https", claim.Host));

    /// <summary>With whom an allowed response is shared beyond its own origin, as CORS says it (Fetch §3.3).</summary>
    public OriginSharing GetSharing(in OriginClaim claim)
    {
        if (_kind == Kind.SameOrigin || claim.Origin is null)
            return OriginSharing.None;
        if (_kind == Kind.Any)
            return OriginSharing.WithAny;
        return WebOrigin.TryParse(claim.Origin, out var origin) && origin.Equals(WebOrigin.Of(claim.Scheme, claim.Host))
            ? OriginSharing.None
            : OriginSharing.WithThis;
    }

    private bool IsListed(WebOrigin origin)
    {
        foreach (var value in _allowed)
            if (WebOrigin.TryParse(value, out var allowed) && origin.Equals(allowed))
                return true;
        return false;
    }
}
