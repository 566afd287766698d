using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// An event stream as the result of a minimal API's handler or a controller's action; <see cref="RealtimeResults"/> makes them. It
/// behaves as an endpoint that <c>MapServerSentEvents</c> maps.
/// </summary>
public sealed class ServerSentEventResult : IResult, IContentTypeHttpResult, IStatusCodeHttpResult, IEndpointMetadataProvider
{
    private readonly EventProducer _producer;
    private readonly ServerSentEventEndpointOptions _options;

    internal ServerSentEventResult(EventProducer producer, ServerSentEventEndpointOptions? options)
    {
        _producer = producer;
        _options = options ?? ServerSentEventEndpointOptions.Default;
    }

    /// <summary><c>text/event-stream</c>.</summary>
    public string ContentType => "text/event-stream";

    /// <summary>200.</summary>
    public int? StatusCode => StatusCodes.Status200OK;

    /// <summary>Sends the stream, until its handler returns, its client goes or the host stops.</summary>
    /// <param name="httpContext">The request.</param>
    /// <returns>Completes when the stream has ended.</returns>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var services = httpContext.RequestServices;
        var logger = HostLoggers.ServerSentEvents(services);
        var metrics = ServerSentEventMetrics.For(services.GetService<IMeterFactory>());
        var budget = services.GetService<RealtimeMemoryBudget>();
        return new ServerSentEventEndpoint(_options, (_, _) => _producer, HostConnections.For(services), metrics, budget, logger).InvokeAsync(httpContext);
    }

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(void), ["text/event-stream"]));
        builder.Metadata.Add(NoCookieRedirect.Instance);
    }
}
