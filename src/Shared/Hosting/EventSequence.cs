using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit;

/// <summary>Writes what an application's sequences yield.</summary>
internal static class EventSequence
{
    public static EventProducer Write(IAsyncEnumerable<SseItem<string>> items) => (writer, closed) => WriteAsync(items, writer, closed);

    public static EventProducer Write<T>(IAsyncEnumerable<SseItem<T>> items, JsonTypeInfo<T> json) => (writer, closed) => WriteAsync(items, json, writer, closed);

    public static EventProducer Write<T>(IAsyncEnumerable<T> values, JsonTypeInfo<T> json) => (writer, closed) => WriteAsync(values, json, writer, closed);

    private static async Task WriteAsync(IAsyncEnumerable<SseItem<string>> items, ServerSentEventWriter writer, CancellationToken closed)
    {
        await foreach (var item in items.WithCancellation(closed).ConfigureAwait(false))
            await writer.WriteAsync(item, CancellationToken.None).ConfigureAwait(false);
    }

    private static async Task WriteAsync<T>(IAsyncEnumerable<SseItem<T>> items, JsonTypeInfo<T> json, ServerSentEventWriter writer, CancellationToken closed)
    {
        await foreach (var item in items.WithCancellation(closed).ConfigureAwait(false))
            await writer.WriteAsync(item, json, CancellationToken.None).ConfigureAwait(false);
    }

    private static async Task WriteAsync<T>(IAsyncEnumerable<T> values, JsonTypeInfo<T> json, ServerSentEventWriter writer, CancellationToken closed)
    {
        await foreach (var value in values.WithCancellation(closed).ConfigureAwait(false))
            await writer.WriteAsync(value, json, cancellationToken: CancellationToken.None).ConfigureAwait(false);
    }
}
