using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.WebSockets;

public abstract partial class WebSocketConnection
{
    /// <summary>Sends a text message. Unpaired surrogates become U+FFFD.</summary>
    /// <param name="text">The text; it is encoded straight into a pooled buffer.</param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public ValueTask SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SendAsync(text.AsMemory(), cancellationToken);
    }

    /// <inheritdoc cref="SendAsync(string, CancellationToken)"/>
    public ValueTask SendAsync(ReadOnlyMemory<char> text, CancellationToken cancellationToken = default) =>
        SendAsync(WebSocketMessageType.Text, text, static (text, output) => Encoding.UTF8.GetBytes(text.Span, output), cancellationToken);

    /// <summary>Sends a value as a JSON text message.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="json">The source-generated contract, which keeps trimming and AOT clean.</param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public ValueTask SendAsync<T>(T value, JsonTypeInfo<T> json, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return SendAsync(
            WebSocketMessageType.Text,
            (value, json),
            static (state, output) =>
            {
                using var writer = PooledJsonWriter.Rent(output, state.json.Options);
                JsonSerializer.Serialize(writer.Json, state.value, state.json);
            },
            cancellationToken);
    }

    /// <summary>Sends a message that a callback writes.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="type">Text (the callback must write UTF-8) or binary.</param>
    /// <param name="state">What the callback needs, so that it captures nothing.</param>
    /// <param name="write">
    /// Writes the payload into a pooled buffer, outside of any lock. A callback that throws, or that sends on the same connection,
    /// leaves nothing behind.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait for room; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    public ValueTask SendAsync<TState>(WebSocketMessageType type, TState state, Action<TState, IBufferWriter<byte>> write, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        var buffer = PooledBufferWriter.Rent();
        ValueTask send;
        try
        {
            write(state, buffer);
            send = SendAsync(buffer.WrittenMemory, type, cancellationToken);
        }
        catch
        {
            buffer.Return();
            throw;
        }

        if (!send.IsCompleted)
            return buffer.ReturnAfterAsync(send);
        buffer.Return();
        return send;
    }

    /// <summary>Starts a batch: messages that are collected apart and enter the send buffer together, in one write.</summary>
    /// <returns>An empty batch. Forgetting to dispose it stalls nobody.</returns>
    public WebSocketBatch CreateBatch() => new(this);

    /// <summary>Appends a message to a batch's buffer in the form in which this connection sends it.</summary>
    internal abstract void WriteToBatch(PooledBufferWriter batch, ReadOnlySpan<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags);

    /// <summary>Appends a prepared message to a batch's buffer in the form in which this connection sends it.</summary>
    internal abstract void WriteToBatch(PooledBufferWriter batch, PreparedWebSocketMessage message);

    /// <summary>Writes one message out of two parts, of which the second is shared, as frames.</summary>
    internal abstract void WriteToBatch(PooledBufferWriter batch, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, WebSocketMessageType type);

    /// <summary>Enqueues what a batch has collected.</summary>
    internal abstract ValueTask SendBatchAsync(ReadOnlyMemory<byte> batch, CancellationToken cancellationToken);
}
