using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// Redeems the ticket in a request's query. Once for each request, however often it is authenticated, and only on endpoints for which tickets
/// are issued: elsewhere a parameter of that name is the application's.
/// </summary>
internal sealed partial class TicketAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TicketService tickets)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private bool _isStoreAway;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TicketRequest.EndpointOf(Context, tickets.Options) is not { } endpoint)
            return AuthenticateResult.NoResult();
        var values = RequestQuery.Find(Request, tickets.Options.Parameter);
        if (values.Count == 0)
            return AuthenticateResult.NoResult();
        if (values is not [var ticket])
            return AuthenticateResult.Fail("There are several tickets.");
        try
        {
            var redemption = await TicketRequest.RedeemAsync(Context, tickets, ticket, endpoint, Context.RequestAborted).ConfigureAwait(false);
            return redemption.User is { } user
                ? AuthenticateResult.Success(new AuthenticationTicket(user, new AuthenticationProperties { ExpiresUtc = redemption.ExpiresUtc }, Scheme.Name))
                : AuthenticateResult.Fail("The ticket was refused.");
        }
        catch (TicketStoreException error)
        {
            _isStoreAway = true;
            Log.StoreFailed(Logger, error);
            return AuthenticateResult.Fail("The tickets are not available now.");
        }
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_isStoreAway)
        {
            // A client with a ticket that nobody can look up is not to blame, whatever the other schemes of its endpoint say after this one.
            Response.OnStarting(static response => BlameTheStore((HttpResponse)response), Response);
            return Task.CompletedTask;
        }

        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.Append("WWW-Authenticate", Scheme.Name);   // RFC 9110 §15.5.2
        return Task.CompletedTask;
    }

    private static Task BlameTheStore(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = "1";
        response.Headers.Remove("WWW-Authenticate");
        response.Headers.Remove("Location");
        return Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.TicketStoreFailed, LogLevel.Error, "The store of tickets cannot be reached.", EventName = nameof(RealtimeEventIds.TicketStoreFailed))]
        public static partial void StoreFailed(ILogger logger, Exception error);
    }
}
