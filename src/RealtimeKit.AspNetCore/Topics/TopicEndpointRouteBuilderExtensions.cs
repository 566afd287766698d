using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps endpoints where clients subscribe and publish to topics.</summary>
public static class TopicEndpointRouteBuilderExtensions
{
    private static readonly string[] All = [HttpMethods.Get, HttpMethods.Connect, HttpMethods.Post];
    private static readonly string[] Post = [HttpMethods.Post];
    private static readonly string[] Options = [HttpMethods.Options];

    /// <summary>
    /// Maps topics to a URL: <c>GET ?topic=a&amp;topic=b</c> subscribes, over a WebSocket or as an event stream, or gives their cursor
    /// (<c>Accept: application/json</c>); <c>POST</c> with JSON adds and removes topics of an event stream; <c>POST /{topic}</c> or
    /// <c>?topic=</c> publishes. Users may do what the options of each topic let them (<see cref="TopicOptions.AuthorizeSubscribe"/>,
    /// <see cref="TopicOptions.AuthorizePublish"/>): by default read everything, and publish nothing. A request that asks for
    /// one thing too many is refused as a whole.
    /// </summary>
    /// <param name="endpoints">The route builder, of an application with <c>AddTopics()</c>.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>A builder for conventions of all of it: authorization, CORS, rate limits.</returns>
    /// <exception cref="InvalidOperationException"><c>AddTopics()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapTopics(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Action<TopicEndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var options = new TopicEndpointOptions();
        configure?.Invoke(options);
        var services = endpoints.ServiceProvider;
        var hub = services.GetService<TopicHub>()
            ?? throw new InvalidOperationException("There are no topics: call builder.Services.AddTopics() first.");
        var endpoint = new TopicEndpoint(
            hub,
            options.Copy(options.WebSockets.Copy(services)),
            HostConnections.For(services),
            ServerSentEventMetrics.For(services.GetService<IMeterFactory>()),
            services.GetService<RealtimeMemoryBudget>(),
            (HostLoggers.Topics(services), HostLoggers.WebSockets(services), HostLoggers.ServerSentEvents(services)));

        var group = endpoints.MapGroup(pattern);
        group.MapMethods("", All, InvokeAsync).WithDisplayName($"Topics {pattern}");
        group.MapMethods("/{**topic}", Post, InvokeAsync).WithDisplayName($"Topics {pattern}, publishing");

        // A preflight request has no credentials, and asks for nothing but whether to ask.
        group.MapMethods("/{**topic}", Options, InvokeAsync).WithDisplayName($"Topics {pattern}, preflight").AllowAnonymous();
        return group.DisableCookieRedirect();

        Task InvokeAsync(HttpContext context) => endpoint.InvokeAsync(context, context.GetPathTopic());
    }
}
