using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using RealtimeKit;
using RealtimeKit.ServerSentEvents;

namespace System.Net;

public sealed partial class HttpListenerRouter
{
    /// <summary>Maps an event stream that a handler writes, with the default options.</summary>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="handler">
    /// Writes one stream's events, until it returns: then the response ends, and an <c>EventSource</c> reconnects. The token is cancelled
    /// once the stream has ended: the client has gone, the stream has reached its age, or the router stops. Writes throw
    /// <see cref="OperationCanceledException"/> from then on, which need not be caught. What else the handler throws is logged, and ends
    /// the connection.
    /// </param>
    /// <returns>The router.</returns>
    /// <exception cref="ArgumentException">The path is malformed, or answers GET already.</exception>
    /// <exception cref="InvalidOperationException">The router runs already.</exception>
    public HttpListenerRouter MapServerSentEvents(string path, Func<ServerSentEventWriter, CancellationToken, Task> handler) =>
        MapServerSentEvents(path, HttpListenerServerSentEventOptions.Default, handler);

    /// <summary>Maps an event stream that a handler writes.</summary>
    /// <inheritdoc cref="MapServerSentEvents(string, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="handler">Writes one stream's events, until it returns.</param>
    public HttpListenerRouter MapServerSentEvents(
        string path, HttpListenerServerSentEventOptions options, Func<ServerSentEventWriter, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var producer = new EventProducer(handler);
        return AddStream(path, options, _ => producer);
    }

    /// <summary>
    /// Maps an event stream that a handler writes, who is given the request too
    /// (<see cref="HttpListenerRealtimeExtensions.GetLastEventId"/>), with the default options.
    /// </summary>
    /// <inheritdoc cref="MapServerSentEvents(string, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    public HttpListenerRouter MapServerSentEvents(string path, Func<ServerSentEventWriter, HttpListenerContext, CancellationToken, Task> handler) =>
        MapServerSentEvents(path, HttpListenerServerSentEventOptions.Default, handler);

    /// <summary>
    /// Maps an event stream that a handler writes, who is given the request too (<see cref="HttpListenerRealtimeExtensions.GetLastEventId"/>).
    /// </summary>
    /// <inheritdoc cref="MapServerSentEvents(string, HttpListenerServerSentEventOptions, Func{ServerSentEventWriter, CancellationToken, Task})"/>
    public HttpListenerRouter MapServerSentEvents(
        string path, HttpListenerServerSentEventOptions options, Func<ServerSentEventWriter, HttpListenerContext, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddStream(path, options, context => (writer, closed) => handler(writer, context, closed));
    }

    /// <summary>Maps an event stream of items of text, with the default options.</summary>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="open">
    /// Called before the stream starts; its events go on after <see cref="HttpListenerRealtimeExtensions.GetLastEventId"/>.
    /// <see langword="null"/> where there is nothing (more) to send: the response is then 204, or the status that was set, and an
    /// <c>EventSource</c> never comes back. The response ends with the sequence. The token that the enumeration is given is cancelled
    /// once the stream has ended: let the iterator take it (<c>[EnumeratorCancellation]</c>).
    /// </param>
    /// <returns>The router.</returns>
    /// <exception cref="ArgumentException">The path is malformed, or answers GET already.</exception>
    /// <exception cref="InvalidOperationException">The router runs already.</exception>
    public HttpListenerRouter MapServerSentEvents(string path, Func<HttpListenerContext, IAsyncEnumerable<SseItem<string>>?> open) =>
        MapServerSentEvents(path, HttpListenerServerSentEventOptions.Default, open);

    /// <summary>Maps an event stream of items of text.</summary>
    /// <inheritdoc cref="MapServerSentEvents(string, Func{HttpListenerContext, IAsyncEnumerable{SseItem{string}}})"/>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public HttpListenerRouter MapServerSentEvents(
        string path, HttpListenerServerSentEventOptions options, Func<HttpListenerContext, IAsyncEnumerable<SseItem<string>>?> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        return AddStream(path, options, context => open(context) is { } items ? EventSequence.Write(items) : null);
    }

    /// <summary>Maps an event stream of items whose data is JSON, with the default options.</summary>
    /// <inheritdoc cref="MapServerSentEvents(string, Func{HttpListenerContext, IAsyncEnumerable{SseItem{string}}})"/>
    /// <typeparam name="T">What the data is made of.</typeparam>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="json">How to write the events' data.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public HttpListenerRouter MapServerSentEvents<T>(string path, JsonTypeInfo<T> json, Func<HttpListenerContext, IAsyncEnumerable<SseItem<T>>?> open) =>
        MapServerSentEvents(path, HttpListenerServerSentEventOptions.Default, json, open);

    /// <summary>Maps an event stream of items whose data is JSON.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(string, JsonTypeInfo{T}, Func{HttpListenerContext, IAsyncEnumerable{SseItem{T}}})"/>
    /// <param name="path">The path, with the listener's prefix in it.</param>
    /// <param name="options">How its streams behave.</param>
    /// <param name="json">How to write the events' data.</param>
    /// <param name="open">Called before the stream starts; <see langword="null"/> for nothing (more) to send.</param>
    public HttpListenerRouter MapServerSentEvents<T>(
        string path, HttpListenerServerSentEventOptions options, JsonTypeInfo<T> json, Func<HttpListenerContext, IAsyncEnumerable<SseItem<T>>?> open)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(open);
        return AddStream(path, options, context => open(context) is { } items ? EventSequence.Write(items, json) : null);
    }

    /// <summary>Maps an event stream of values as JSON, without types and ids of their own, with the default options.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(string, JsonTypeInfo{T}, Func{HttpListenerContext, IAsyncEnumerable{SseItem{T}}})"/>
    public HttpListenerRouter MapServerSentEvents<T>(string path, JsonTypeInfo<T> json, Func<HttpListenerContext, IAsyncEnumerable<T>?> open) =>
        MapServerSentEvents(path, HttpListenerServerSentEventOptions.Default, json, open);

    /// <summary>Maps an event stream of values as JSON, without types and ids of their own.</summary>
    /// <inheritdoc cref="MapServerSentEvents{T}(string, HttpListenerServerSentEventOptions, JsonTypeInfo{T}, Func{HttpListenerContext, IAsyncEnumerable{SseItem{T}}})"/>
    public HttpListenerRouter MapServerSentEvents<T>(
        string path, HttpListenerServerSentEventOptions options, JsonTypeInfo<T> json, Func<HttpListenerContext, IAsyncEnumerable<T>?> open)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(open);
        return AddStream(path, options, context => open(context) is { } values ? EventSequence.Write(values, json) : null);
    }

    private HttpListenerRouter AddStream(string path, HttpListenerServerSentEventOptions options, Func<HttpListenerContext, EventProducer?> open)
    {
        ArgumentNullException.ThrowIfNull(options);
        var endpoint = new ServerSentEventEndpoint(options, (_, context) => open(context), _registry, ServerSentEventMetrics.For(_options.MeterFactory), _options.MemoryBudget, _logger);
        return Add("GET", path, async (context, _) =>
        {
            await endpoint.InvokeAsync(context).ConfigureAwait(false);
            await context.CloseAsync().ConfigureAwait(false);
        });
    }
}
