using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// Results for minimal APIs and controllers that bind their own parameters, of any method:
/// <c>app.MapPost("/chat", (Question question, Model model) => RealtimeResults.ServerSentEvents(model.Answer(question), Json.Default.Token))</c>.
/// One that has nothing (more) to send returns 204 instead, on which a browser's <c>EventSource</c> stops.
/// </summary>
public static class RealtimeResults
{
    /// <summary>An event stream that a handler writes.</summary>
    /// <param name="handler">
    /// Writes the events, until it returns: then the response ends. The token is cancelled once the stream has ended: the client has
    /// gone, the stream has reached its age, or the host stops.
    /// </param>
    /// <param name="options">How the stream behaves; the defaults where <see langword="null"/>.</param>
    /// <returns>The result.</returns>
    public static ServerSentEventResult ServerSentEvents(
        Func<ServerSentEventWriter, CancellationToken, Task> handler, ServerSentEventEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new ServerSentEventResult(new EventProducer(handler), options);
    }

    /// <summary>An event stream of items of text.</summary>
    /// <param name="items">
    /// The events; the response ends with them. The token that the enumeration is given is cancelled once the stream has ended: let the
    /// iterator take it (<c>[EnumeratorCancellation]</c>).
    /// </param>
    /// <param name="options">How the stream behaves; the defaults where <see langword="null"/>.</param>
    /// <returns>The result.</returns>
    public static ServerSentEventResult ServerSentEvents(IAsyncEnumerable<SseItem<string>> items, ServerSentEventEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        return new ServerSentEventResult(EventSequence.Write(items), options);
    }

    /// <summary>An event stream of items whose data is JSON.</summary>
    /// <inheritdoc cref="ServerSentEvents(IAsyncEnumerable{SseItem{string}}, ServerSentEventEndpointOptions?)"/>
    /// <typeparam name="T">What the data is made of.</typeparam>
    /// <param name="items">The events; the response ends with them.</param>
    /// <param name="json">How to write their data.</param>
    /// <param name="options">How the stream behaves; the defaults where <see langword="null"/>.</param>
    public static ServerSentEventResult ServerSentEvents<T>(
        IAsyncEnumerable<SseItem<T>> items, JsonTypeInfo<T> json, ServerSentEventEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(json);
        return new ServerSentEventResult(EventSequence.Write(items, json), options);
    }

    /// <summary>An event stream of values as JSON, without types and ids of their own.</summary>
    /// <inheritdoc cref="ServerSentEvents{T}(IAsyncEnumerable{SseItem{T}}, JsonTypeInfo{T}, ServerSentEventEndpointOptions?)"/>
    /// <param name="values">The values; the response ends with them.</param>
    /// <param name="json">How to write them.</param>
    /// <param name="options">How the stream behaves; the defaults where <see langword="null"/>.</param>
    public static ServerSentEventResult ServerSentEvents<T>(
        IAsyncEnumerable<T> values, JsonTypeInfo<T> json, ServerSentEventEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(json);
        return new ServerSentEventResult(EventSequence.Write(values, json), options);
    }
}
