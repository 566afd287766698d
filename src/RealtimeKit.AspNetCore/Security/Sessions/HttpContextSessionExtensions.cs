using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>What a connection's handler may ask of the authentication under which it runs.</summary>
public static class HttpContextSessionExtensions
{
    /// <summary>The authentication of the WebSocket or event stream that this request has become.</summary>
    /// <param name="context">The request, within the connection's handler.</param>
    /// <returns><see langword="null"/> where nobody signed in, or there is no connection.</returns>
    public static RealtimeSession? GetRealtimeSession(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<RealtimeSession>() is { } session && session.User.Identities.Any(static identity => identity.IsAuthenticated) ? session : null;
    }

    /// <summary>
    /// Extends the life of this request's connection with a ticket, which the page has fetched as for a new connection of this endpoint and
    /// sent over this one.
    /// </summary>
    /// <param name="context">The request, within the connection's handler.</param>
    /// <param name="ticket">The ticket. It is spent, whatever comes of it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="InvalidOperationException"><c>AddTickets()</c> was not called.</exception>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    public static async ValueTask<RealtimeRefreshResult> RefreshWithTicketAsync(this HttpContext context, string ticket, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(ticket);
        var tickets = context.RequestServices.GetRequiredService<TicketService>();
        if (context.GetRealtimeSession() is not { } session)
            return RealtimeRefreshResult.Ended;
        if (TicketRequest.EndpointOf(context, tickets.Options) is not { } endpoint)
            return RealtimeRefreshResult.TicketRefused;
        var redemption = await TicketRequest.RedeemAsync(context, tickets, ticket, endpoint, cancellationToken).ConfigureAwait(false);
        return redemption.User is { } user ? session.Refresh(user, redemption.ExpiresUtc) : RealtimeRefreshResult.TicketRefused;
    }
}
