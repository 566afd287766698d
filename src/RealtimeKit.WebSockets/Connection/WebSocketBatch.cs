using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Messages that are collected apart and enter a connection's send buffer together, next to each other and in one write. A batch
/// can be filled again after each flush. It is not safe for several threads; several batches of one connection are.
/// </summary>
public sealed class WebSocketBatch : IDisposable
{
    private readonly WebSocketConnection _connection;
    private PooledBufferWriter? _buffer;
    private bool _isFlushing;

    internal WebSocketBatch(WebSocketConnection connection) => _connection = connection;

    /// <summary>How many bytes the batch holds.</summary>
    public int Length => _buffer?.WrittenCount ?? 0;

    internal ReadOnlyMemory<byte> WrittenMemory => _buffer?.WrittenMemory ?? default;

    /// <summary>Adds a message.</summary>
    /// <param name="payload">The payload, which is copied.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <exception cref="InvalidOperationException">A flush of this batch is pending.</exception>
    public void Add(ReadOnlySpan<byte> payload, WebSocketMessageType type) => Add(payload, type, WebSocketMessageFlags.None);

    /// <summary>Adds a message, with flags.</summary>
    /// <param name="payload">The payload, which is copied.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <param name="flags">
    /// <see cref="WebSocketMessageFlags.DisableCompression"/> keeps this message out of permessage-deflate;
    /// <see cref="WebSocketMessageFlags.EndOfMessage"/> changes nothing.
    /// </param>
    /// <exception cref="InvalidOperationException">A flush of this batch is pending.</exception>
    public void Add(ReadOnlySpan<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags)
    {
        ThrowIfFlushing();
        _connection.WriteToBatch(_buffer ??= PooledBufferWriter.Rent(), payload, type, flags);
    }

    /// <summary>Adds a message that was encoded once for many connections.</summary>
    /// <param name="message">The message.</param>
    public void Add(PreparedWebSocketMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfFlushing();
        _connection.WriteToBatch(_buffer ??= PooledBufferWriter.Rent(), message);
    }

    /// <summary>Adds a message out of two parts: one's own, and one that many connections share.</summary>
    internal void Add(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, WebSocketMessageType type)
    {
        ThrowIfFlushing();
        _connection.WriteToBatch(_buffer ??= PooledBufferWriter.Rent(), head, tail, type);
    }

    /// <summary>Enqueues the batch and empties it.</summary>
    /// <param name="cancellationToken">Cancels the wait for room; then nothing of the batch is sent, and it keeps its messages.</param>
    /// <returns>A task that completes when the messages are in the send buffer.</returns>
    /// <exception cref="WebSocketException">The connection is closing, closed or aborted.</exception>
    /// <exception cref="InvalidOperationException">Another flush of this batch is pending.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfFlushing();
        if (_buffer is null)
            return default;
        var send = _connection.SendBatchAsync(_buffer.WrittenMemory, cancellationToken);
        if (!send.IsCompletedSuccessfully)
            return ClearAfterAsync(send, _buffer);
        Dispose();
        return send;
    }

    /// <summary>Drops what has not been flushed. A flush that is still pending goes on.</summary>
    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = null;
        // Under a pending flush the memory still belongs to it, and must not reach the pool.
        if (!_isFlushing)
            buffer?.Return();
    }

    private async ValueTask ClearAfterAsync(ValueTask send, PooledBufferWriter buffer)
    {
        _isFlushing = true;
        var isSent = false;
        try
        {
            await send.ConfigureAwait(false);
            isSent = true;
        }
        finally
        {
            _isFlushing = false;
            if (_buffer is null)
                buffer.Return();   // disposed meanwhile
            else if (isSent)
                Dispose();
        }
    }

    private void ThrowIfFlushing()
    {
        if (_isFlushing)
            throw new InvalidOperationException("A flush of this batch is pending: what it sends must not change.");
    }
}
