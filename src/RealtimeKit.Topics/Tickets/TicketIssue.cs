namespace RealtimeKit.Topics;

/// <summary>What came of the wish for a ticket.</summary>
public readonly struct TicketIssue
{
    internal TicketIssue(string ticket, TimeSpan lifetime)
    {
        Ticket = ticket;
        Lifetime = lifetime;
    }

    internal TicketIssue(TicketFailure failure) => Failure = failure;

    /// <summary>The ticket, a secret: 43 characters that are safe in a URL. <see langword="null"/> where none was issued.</summary>
    public string? Ticket { get; }

    /// <summary>How long it may be redeemed.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>Why none was issued.</summary>
    public TicketFailure Failure { get; }

    /// <summary>Whether it was issued, or why not: never the ticket.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Ticket is null ? $"Refused: {Failure}" : $"Issued for {Lifetime.TotalSeconds:0.###} s";
}
