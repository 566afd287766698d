namespace RealtimeKit.AspNetCore;

/// <summary>The names of one-time tickets.</summary>
public static class TicketDefaults
{
    /// <summary>The authentication scheme: <c>Ticket</c>.</summary>
    public const string AuthenticationScheme = "Ticket";
}
