using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>What a request says to a ticket: which endpoint it asks for, and which page it comes from.</summary>
internal static class TicketRequest
{
    /// <summary>Under which name tickets are issued for the request's endpoint.</summary>
    /// <returns><see langword="null"/> where none are.</returns>
    public static string? EndpointOf(HttpContext context, TicketOptions options)
    {
        if (context.GetEndpoint() is not { } endpoint)
            return null;
        var name = endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;
        var pattern = (endpoint as RouteEndpoint)?.RoutePattern.RawText;
        foreach (var allowed in options.Endpoints)
        {
            if (allowed == name || (pattern is not null && allowed.AsSpan().Trim('/').Equals(pattern.AsSpan().Trim('/'), StringComparison.OrdinalIgnoreCase)))
                return allowed;
        }

        return null;
    }

    public static ValueTask<TicketRedemption> RedeemAsync(
        HttpContext context, TicketService tickets, string ticket, string endpoint, CancellationToken cancellationToken)
    {
        var headers = context.Request.Headers;
        var origin = OriginOf(context.Request);

        // Fetch Metadata: what a browser says of a request for which it names no origin. Other clients, and old browsers, say nothing.
        var isOwnPage = headers.Origin.Count == 0 && (headers["Sec-Fetch-Site"] is { Count: 0 } or ["same-origin"]);
        return tickets.RedeemAsync(ticket, endpoint, origin, isOwnPage, cancellationToken);
    }

    /// <summary>The origin of the page; what equals none where there are several.</summary>
    public static string? OriginOf(HttpRequest request) => request.Headers.Origin.Count == 0 ? null : request.Headers.Origin.ToString();
}
