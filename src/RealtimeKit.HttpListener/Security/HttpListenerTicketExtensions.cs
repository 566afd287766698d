using System.Security.Claims;
using System.Text;
using System.Web;
using RealtimeKit.Topics;

namespace System.Net;

/// <summary>One-time tickets on <see cref="HttpListener"/>, where the application itself finds out who asks.</summary>
public static class HttpListenerTicketExtensions
{
    /// <summary>
    /// Redeems the ticket in a request's query, for <see cref="HttpListenerTopicOptions.Authenticate"/>:
    /// <c>options.Authenticate = context => context.RedeemTicketAsync(tickets, "/live")</c>.
    /// </summary>
    /// <param name="context">The request. Its origin is compared with that for which the ticket was issued.</param>
    /// <param name="tickets">The service that issued it, or another with the same store.</param>
    /// <param name="endpoint">Which endpoint this is: one of <see cref="TicketOptions.Endpoints"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The user; <see langword="null"/> where there is no ticket, several, or one that is refused.</returns>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    public static async ValueTask<ClaimsPrincipal?> RedeemTicketAsync(
        this HttpListenerContext context, TicketService tickets, string endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(tickets);
        var query = HttpUtility.ParseQueryString(context.Request.Url?.Query ?? "", Encoding.UTF8);
        if (query.GetValues(tickets.Options.Parameter) is not [{ } ticket])
            return null;
        var origin = context.Request.Headers["Origin"];

        // Fetch Metadata: what a browser says of a request for which it names no origin. Other clients, and old browsers, say nothing.
        var isOwnPage = origin is null && (context.Request.Headers["Sec-Fetch-Site"] is null or "same-origin");
        return (await tickets.RedeemAsync(ticket, endpoint, origin, isOwnPage, cancellationToken).ConfigureAwait(false)).User;
    }
}
