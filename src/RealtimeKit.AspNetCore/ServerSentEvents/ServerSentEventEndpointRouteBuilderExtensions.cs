using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace Microsoft.AspNetCore.Builder;

/// <summary>
/// Maps endpoints that stream Server-Sent Events to GET requests, as a browser's <c>EventSource</c> sends them. For other methods, or
/// with parameters of one's own, a minimal API or a controller returns <see cref="RealtimeResults"/>.
/// </summary>
public static class ServerSentEventEndpointRouteBuilderExtensions
{
    private static readonly string[] Get = [HttpMethods.Get];

    /// <summary>Maps an event stream that a handler writes, with the default options.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="handler">
    /// Writes one stream's events, until it returns: then the response ends, and an <c>EventSource</c> reconnects. The token is cancelled
    /// once the stream has ended: the client has gone, the stream has reached its age, or the host stops. Writes throw
    /// <see cref="OperationCanceledException"/> from then on, which need not be caught. What else the handler throws is the server's to
    /// log, and cuts the response off.
    /// </param>
    /// <returns>A builder for conventions: authorization, CORS, rate limits, filters of any endpoint.</returns>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Func<ServerSentEventWriter, CancellationToken, Task> handler) =>
        endpoints.MapServerSentEvents(pattern, ServerSentEventEndpointOptions.Default, handler);

    /// <summary>Maps an event stream that a handler writes.</summary>
    /// <inheritdoc cref="MapServerSentEvents(IEndpointRouteBuilder, string, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="handler">Writes one stream's events, until it returns.</param>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        Func<ServerSentEventWriter, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var producer = new EventProducer(handler);
        return endpoints.Map(pattern, options, (_, _) => producer);
    }

    /// <summary>Maps an event stream that a handler writes, who is given the request too, with the default options.</summary>
    /// <inheritdoc cref="MapServerSentEvents(IEndpointRouteBuilder, string, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        Func<ServerSentEventWriter, ServerSentEventRequest, HttpContext, CancellationToken, Task> handler) =>
        endpoints.MapServerSentEvents(pattern, ServerSentEventEndpointOptions.Default, handler);

    /// <summary>Maps an event stream that a handler writes, who is given the request too.</summary>
    /// <inheritdoc cref="MapServerSentEvents(IEndpointRouteBuilder, string, ServerSentEventEndpointOptions, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        Func<ServerSentEventWriter, ServerSentEventRequest, HttpContext, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.Map(pattern, options, (request, http) => (writer, closed) => handler(writer, request, http, closed));
    }

    /// <summary>Maps an event stream of items of text, with the default options.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="open">
    /// Called before the stream starts; its events go on after <see cref="ServerSentEventRequest.LastEventId"/>.
    /// <see langword="null"/> where there is nothing (more) to send: the response is then 204, or the status that was set, and an
    /// <c>EventSource</c> never comes back. The response ends with the sequence. The token that the enumeration is given is cancelled
    /// once the stream has ended: let the iterator take it (<c>[EnumeratorCancellation]</c>).
    /// </param>
    /// <returns>A builder for conventions: authorization, CORS, rate limits, filters of any endpoint.</returns>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<SseItem<string>>?> open) =>
        endpoints.MapServerSentEvents(pattern, ServerSentEventEndpointOptions.Default, open);

    /// <summary>Maps an event stream of items of text.</summary>
    /// <inheritdoc cref="MapServerSentEvents(IEndpointRouteBuilder, string, Func{ServerSentEventRequest, HttpContext, IAsyncEnumerable{SseItem{string}}})"/>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public static IEndpointConventionBuilder MapServerSentEvents(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<SseItem<string>>?> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        return endpoints.Map(pattern, options, (request, http) => open(request, http) is { } items ? EventSequence.Write(items) : null);
    }

    /// <summary>Maps an event stream of items whose data is JSON, with the default options.</summary>
    /// <inheritdoc cref="MapServerSentEvents(IEndpointRouteBuilder, string, Func{ServerSentEventRequest, HttpContext, IAsyncEnumerable{SseItem{string}}})"/>
    /// <typeparam name="T">What the data is made of.</typeparam>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="json">How to write the events' data.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public static IEndpointConventionBuilder MapServerSentEvents<T>(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        JsonTypeInfo<T> json,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<SseItem<T>>?> open) =>
        endpoints.MapServerSentEvents(pattern, ServerSentEventEndpointOptions.Default, json, open);

    /// <summary>Maps an event stream of items whose data is JSON.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(IEndpointRouteBuilder, string, JsonTypeInfo{T}, Func{ServerSentEventRequest, HttpContext, IAsyncEnumerable{SseItem{T}}})"/>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="json">How to write the events' data.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public static IEndpointConventionBuilder MapServerSentEvents<T>(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        JsonTypeInfo<T> json,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<SseItem<T>>?> open)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(open);
        return endpoints.Map(pattern, options, (request, http) => open(request, http) is { } items ? EventSequence.Write(items, json) : null);
    }

    /// <summary>Maps an event stream of values as JSON, without types and ids of their own, with the default options.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(IEndpointRouteBuilder, string, JsonTypeInfo{T}, Func{ServerSentEventRequest, HttpContext, IAsyncEnumerable{SseItem{T}}})"/>
    public static IEndpointConventionBuilder MapServerSentEvents<T>(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        JsonTypeInfo<T> json,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<T>?> open) =>
        endpoints.MapServerSentEvents(pattern, ServerSentEventEndpointOptions.Default, json, open);

    /// <summary>Maps an event stream of values as JSON, without types and ids of their own.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(IEndpointRouteBuilder, string, ServerSentEventEndpointOptions, JsonTypeInfo{T}, Func{ServerSentEventRequest, HttpContext, IAsyncEnumerable{SseItem{T}}})"/>
    public static IEndpointConventionBuilder MapServerSentEvents<T>(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        JsonTypeInfo<T> json,
        Func<ServerSentEventRequest, HttpContext, IAsyncEnumerable<T>?> open)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(open);
        return endpoints.Map(pattern, options, (request, http) => open(request, http) is { } values ? EventSequence.Write(values, json) : null);
    }

    private static IEndpointConventionBuilder Map(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string pattern,
        ServerSentEventEndpointOptions options,
        Func<ServerSentEventRequest, HttpContext, EventProducer?> open)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(options);
        var services = endpoints.ServiceProvider;
        var endpoint = new ServerSentEventEndpoint(
            options,
            open,
            HostConnections.For(services),
            ServerSentEventMetrics.For(services.GetService<IMeterFactory>()),
            services.GetService<RealtimeMemoryBudget>(),
            HostLoggers.ServerSentEvents(services));
        return endpoints.MapMethods(pattern, Get, endpoint.InvokeAsync).WithDisplayName($"Server-Sent Events {pattern}").DisableCookieRedirect();
    }
}
