namespace RealtimeKit.AspNetCore;

/// <summary>What came of refreshing a connection's authentication.</summary>
public enum RealtimeRefreshResult
{
    /// <summary>The connection lives on until the new expiry.</summary>
    Refreshed,

    /// <summary>It is another user's: a connection never changes hands. Nothing has changed.</summary>
    OtherUser,

    /// <summary>What it was to be refreshed with has expired itself. Nothing has changed.</summary>
    Expired,

    /// <summary>The connection has ended, or is being closed for its expiry.</summary>
    Ended,

    /// <summary>The ticket was refused. Nothing has changed.</summary>
    TicketRefused,
}
