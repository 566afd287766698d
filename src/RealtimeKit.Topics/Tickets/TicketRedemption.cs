using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>What a ticket stood for.</summary>
public readonly struct TicketRedemption
{
    internal TicketRedemption(ClaimsPrincipal user, DateTimeOffset? expiresUtc)
    {
        User = user;
        ExpiresUtc = expiresUtc;
    }

    internal TicketRedemption(TicketFailure failure) => Failure = failure;

    /// <summary>The user to whom it was issued, with the claims of then; <see langword="null"/> where it was refused.</summary>
    public ClaimsPrincipal? User { get; }

    /// <summary>When the authentication with which the user asked for it expires; <see langword="null"/> for never, as far as is known.</summary>
    public DateTimeOffset? ExpiresUtc { get; }

    /// <summary>Why it was refused.</summary>
    public TicketFailure Failure { get; }
}
