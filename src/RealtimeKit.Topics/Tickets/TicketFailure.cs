namespace RealtimeKit.Topics;

/// <summary>Why a ticket was not issued, or not accepted. For logs: whoever sent it need not know more than that it was refused.</summary>
public enum TicketFailure
{
    /// <summary>It was.</summary>
    None,

    /// <summary>Nobody has signed in to whom it could be issued, or their authentication has expired.</summary>
    NotSignedIn,

    /// <summary>The endpoint is none of <see cref="TicketOptions.Endpoints"/>.</summary>
    EndpointNotAllowed,

    /// <summary>The user's claims are larger than <see cref="TicketOptions.MaxUserSize"/>.</summary>
    UserTooLarge,

    /// <summary>The store has no room.</summary>
    StoreFull,

    /// <summary>What was sent has not the form of a ticket.</summary>
    Malformed,

    /// <summary>It was never issued, was used before, or has expired.</summary>
    Unknown,

    /// <summary>It was issued for another endpoint. It is spent all the same.</summary>
    OtherEndpoint,

    /// <summary>It was issued to another origin. It is spent all the same.</summary>
    OtherOrigin,
}
