using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps where tickets are issued, and says where they are accepted.</summary>
public static class TicketEndpointRouteBuilderExtensions
{
    private static readonly string[] Post = [HttpMethods.Post];
    private static readonly string[] Options = [HttpMethods.Options];

    /// <summary>
    /// Maps where pages fetch tickets: <c>POST</c> with <c>{"endpoint":"/live"}</c> answers <c>{"ticket":"…","expiresIn":30}</c>, for whoever the
    /// application's default policy lets in, by its usual authentication.
    /// </summary>
    /// <param name="endpoints">The route builder, of an application with <c>AddAuthentication().AddTickets(…)</c>.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>A builder for conventions: another policy, rate limits.</returns>
    /// <exception cref="InvalidOperationException"><c>AddTickets</c> was not called, or <see cref="TicketOptions.Endpoints"/> is empty.</exception>
    public static IEndpointConventionBuilder MapTickets(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Action<TicketEndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var tickets = endpoints.ServiceProvider.GetService<TicketService>()
            ?? throw new InvalidOperationException("There are no tickets: call builder.Services.AddAuthentication().AddTickets(…) first.");
        if (tickets.Options.Endpoints.Count == 0)
            throw new InvalidOperationException("Tickets open nothing: name the endpoints, AddTickets(options => options.Endpoints = [\"/live\"]).");
        var options = new TicketEndpointOptions();
        configure?.Invoke(options);
        var endpoint = new TicketEndpoint(tickets, options, HostLoggers.Tickets(endpoints.ServiceProvider));

        var group = endpoints.MapGroup(pattern);
        group.MapMethods("", Post, endpoint.IssueAsync).WithDisplayName($"Tickets {pattern}");
        group.MapMethods("", Options, endpoint.AnswerPreflightAsync).WithDisplayName($"Tickets {pattern}, preflight").AllowAnonymous();
        return group.DisableCookieRedirect().RequireAuthorization();
    }

    /// <summary>
    /// Lets only those in who bring a ticket, or are signed in by one of the other schemes named: <c>RequireTicket("Cookies")</c> for
    /// browsers' own pages besides. A policy with the scheme <see cref="TicketDefaults.AuthenticationScheme"/> can say more.
    /// </summary>
    /// <typeparam name="TBuilder">The builder's type.</typeparam>
    /// <param name="builder">The builder of an endpoint that <see cref="TicketOptions.Endpoints"/> names.</param>
    /// <param name="orSchemes">Other authentication schemes that do as well.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder RequireTicket<TBuilder>(this TBuilder builder, params string[] orSchemes)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(orSchemes);
        return builder.RequireAuthorization(new AuthorizeAttribute
        {
            AuthenticationSchemes = string.Join(',', [TicketDefaults.AuthenticationScheme, .. orSchemes]),
        });
    }
}
