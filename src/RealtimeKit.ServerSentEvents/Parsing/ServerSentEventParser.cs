using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Reads the events of a <see cref="PipeReader"/> or a <see cref="Stream"/> as they arrive, following WHATWG HTML §9.2.6. An item's
/// <see cref="SseItem{T}.EventId"/> is the id that the event itself carried; null for none. The sequences end with the stream; an
/// unfinished event at its end is discarded.
/// </summary>
public static class ServerSentEventParser
{
    /// <summary>Reads events with their data as text.</summary>
    /// <param name="input">Where to read from. It is neither completed nor disposed; events not yet enumerated stay in it.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <returns>The events. Enumerate it once.</returns>
    /// <exception cref="ServerSentEventLimitException">While enumerating: the stream breaks a limit.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: the token was cancelled.</exception>
    public static IAsyncEnumerable<SseItem<string>> ParseAsync(
        PipeReader input, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ServerSentEventEnumerator<string>(new PipeEventSource(input, options), new TextItemFactory(), cancellationToken);
    }

    /// <summary>Reads events, making each one's data with a delegate that sees the bytes.</summary>
    /// <inheritdoc cref="ParseAsync(PipeReader, ServerSentEventParserOptions?, CancellationToken)"/>
    /// <param name="input">Where to read from. It is neither completed nor disposed; events not yet enumerated stay in it.</param>
    /// <param name="parse">Makes a value of an event's type and data. The span is valid during the call.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public static IAsyncEnumerable<SseItem<T>> ParseAsync<T>(
        PipeReader input, SseItemParser<T> parse, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(parse);
        return new ServerSentEventEnumerator<T>(new PipeEventSource(input, options), new DelegateItemFactory<T>(parse), cancellationToken);
    }

    /// <summary>Reads events whose data is JSON.</summary>
    /// <inheritdoc cref="ParseAsync(PipeReader, ServerSentEventParserOptions?, CancellationToken)"/>
    /// <param name="input">Where to read from. It is neither completed nor disposed; events not yet enumerated stay in it.</param>
    /// <param name="json">How to read a value.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="JsonException">While enumerating: an event's data is not the JSON that is asked for.</exception>
    public static IAsyncEnumerable<SseItem<T?>> ParseAsync<T>(
        PipeReader input, JsonTypeInfo<T> json, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(json);
        return new ServerSentEventEnumerator<T?>(new PipeEventSource(input, options), new JsonItemFactory<T>(json), cancellationToken);
    }

    /// <summary>Reads events with their data as text.</summary>
    /// <inheritdoc cref="ParseAsync(PipeReader, ServerSentEventParserOptions?, CancellationToken)"/>
    /// <param name="input">Where to read from. It is not disposed, and is read ahead of the events.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public static IAsyncEnumerable<SseItem<string>> ParseAsync(
        Stream input, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default) =>
        new ServerSentEventEnumerator<string>(new StreamEventSource(input, options), new TextItemFactory(), cancellationToken);

    /// <summary>Reads events, making each one's data with a delegate that sees the bytes.</summary>
    /// <inheritdoc cref="ParseAsync{T}(PipeReader, SseItemParser{T}, ServerSentEventParserOptions?, CancellationToken)"/>
    /// <param name="input">Where to read from. It is not disposed, and is read ahead of the events.</param>
    /// <param name="parse">Makes a value of an event's type and data. The span is valid during the call.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public static IAsyncEnumerable<SseItem<T>> ParseAsync<T>(
        Stream input, SseItemParser<T> parse, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return new ServerSentEventEnumerator<T>(new StreamEventSource(input, options), new DelegateItemFactory<T>(parse), cancellationToken);
    }

    /// <summary>Reads events whose data is JSON.</summary>
    /// <inheritdoc cref="ParseAsync{T}(PipeReader, JsonTypeInfo{T}, ServerSentEventParserOptions?, CancellationToken)"/>
    /// <param name="input">Where to read from. It is not disposed, and is read ahead of the events.</param>
    /// <param name="json">How to read a value.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public static IAsyncEnumerable<SseItem<T?>> ParseAsync<T>(
        Stream input, JsonTypeInfo<T> json, ServerSentEventParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new ServerSentEventEnumerator<T?>(new StreamEventSource(input, options), new JsonItemFactory<T>(json), cancellationToken);
    }
}
