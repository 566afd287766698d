namespace RealtimeKit;

/// <summary>What a request says about the page that sent it, and the address at which it arrived.</summary>
/// <param name="IsPresent">Whether there is an <c>Origin</c> header at all.</param>
/// <param name="Origin">Its value; <see langword="null"/> where there is none, or more than one.</param>
/// <param name="Scheme">The request's own scheme.</param>
/// <param name="Host">The request's own host, with its port where that is not the scheme's.</param>
internal readonly record struct OriginClaim(bool IsPresent, string? Origin, string Scheme, string? Host);
