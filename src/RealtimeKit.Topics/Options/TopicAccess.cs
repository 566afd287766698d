using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>What an authorization delegate decides about.</summary>
/// <param name="User">Who asks; one without identity where nobody signed in.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Action">What for.</param>
/// <param name="IsResume">Whether it is a subscriber with a cursor: it is asked about again each time, as a cursor grants nothing.</param>
/// <param name="CancellationToken">Cancelled when nobody waits for the answer any more.</param>
public readonly record struct TopicAccess(
    ClaimsPrincipal User, string Topic, TopicAction Action, bool IsResume, CancellationToken CancellationToken);
