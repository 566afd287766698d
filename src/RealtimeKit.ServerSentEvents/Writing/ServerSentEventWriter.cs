using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Writes events to a <see cref="PipeWriter"/> and flushes each, by default, as it is written. Safe to call from any thread: a pipe has
/// one writer at a time, so a write waits for the one before it, its flush included. A write that completes at once allocates nothing.
/// The pipe is the caller's: it is never completed here.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source of cancellation without a timer holds no resource.")]
public sealed partial class ServerSentEventWriter
{
    private readonly PipeWriter _output;
    private readonly ServerSentEventWriterOptions _options;

    // Held from an event's first byte to the end of its flush: a pipe must not be touched while its flush is pending.
    private WriteGate _gate;
    private CancellationTokenSource? _closed;
    private long _writeCount;
    private volatile bool _isClosed;
    private bool _isCompleted;
    private long _lastRetry = -1;   // in ticks

    // Of the host whose stream this is.
    private readonly ServerSentEventMetrics? _metrics;
    private readonly IBacklogObserver? _backlog;
    private long _unflushed;

    /// <summary>Creates a writer.</summary>
    /// <param name="output">Where to write. Nobody else may write to it meanwhile.</param>
    /// <param name="options">How to behave; null for the defaults.</param>
    public ServerSentEventWriter(PipeWriter output, ServerSentEventWriterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        _options = options ?? ServerSentEventWriterOptions.Default;
    }

    /// <summary>Creates a writer whose events and bytes a host's metrics count, and what waits of them whoever watches over memory.</summary>
    internal ServerSentEventWriter(PipeWriter output, ServerSentEventWriterOptions? options, ServerSentEventMetrics metrics, IBacklogObserver? backlog = null)
        : this(output, options)
    {
        _metrics = metrics;
        _backlog = backlog;
    }

    /// <summary>
    /// Cancelled when the stream has ended: the reader has gone, or <see cref="Close"/> was called. Writes throw
    /// <see cref="OperationCanceledException"/> from then on.
    /// </summary>
    public CancellationToken Closed
    {
        get
        {
            var source = Volatile.Read(ref _closed);
            if (source is null)
            {
                var created = new CancellationTokenSource();
                source = Interlocked.CompareExchange(ref _closed, created, null) ?? created;
                if (_isClosed)
                    source.Cancel();
            }

            return source.Token;
        }
    }

    /// <summary>Whether the stream has ended.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>
    /// Whether a write, or the flush of one, is under way. A stream on which this stays true while <see cref="WriteCount"/> stays the
    /// same has a reader that does not read.
    /// </summary>
    public bool IsWriting => _gate.IsHeld;

    /// <summary>How many writes and heartbeats there have been. A stream is idle while it stays the same.</summary>
    public long WriteCount => Volatile.Read(ref _writeCount);

    /// <summary>Writes an event.</summary>
    /// <param name="data">The data; it may have several lines.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    /// <returns>Completes when the event has been flushed, or accepted where <see cref="ServerSentEventWriterOptions.AutoFlush"/> is off.</returns>
    /// <exception cref="ArgumentException">The type or the id contains CR, LF or NUL. Nothing has been written.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is negative. Nothing has been written.</exception>
    /// <exception cref="OperationCanceledException">The stream has ended, or the token was cancelled.</exception>
    public ValueTask WriteAsync(
        string data, string? eventType = null, string? id = null, TimeSpan? retry = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        return SendAsync(new TextPayload(data, eventType, id, retry), cancellationToken);
    }

    /// <summary>Writes an event with data in UTF-8.</summary>
    /// <inheritdoc cref="WriteAsync(string, string?, string?, TimeSpan?, CancellationToken)"/>
    /// <param name="utf8Data">The data, in UTF-8. Not to be changed before the write completes.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    public ValueTask WriteAsync(
        ReadOnlyMemory<byte> utf8Data, string? eventType = null, string? id = null, TimeSpan? retry = null, CancellationToken cancellationToken = default) =>
        SendAsync(new Utf8Payload(utf8Data, eventType, id, retry), cancellationToken);

    /// <summary>Writes an event with data in UTF-8 that may lie in several segments.</summary>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, string?, string?, TimeSpan?, CancellationToken)"/>
    public ValueTask WriteAsync(
        ReadOnlySequence<byte> utf8Data, string? eventType = null, string? id = null, TimeSpan? retry = null, CancellationToken cancellationToken = default) =>
        SendAsync(new SequencePayload(utf8Data, eventType, id, retry), cancellationToken);

    /// <summary>Writes an event whose data is a value's JSON.</summary>
    /// <inheritdoc cref="WriteAsync(string, string?, string?, TimeSpan?, CancellationToken)"/>
    /// <param name="data">The value. Where serialising it throws, nothing has been written.</param>
    /// <param name="json">How to write it.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    public ValueTask WriteAsync<T>(
        T data, JsonTypeInfo<T> json, string? eventType = null, string? id = null, TimeSpan? retry = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return SendAsync(new JsonPayload<T>(data, json, eventType, id, retry), cancellationToken);
    }

    /// <summary>Writes an item with its type, id and reconnection interval.</summary>
    /// <inheritdoc cref="WriteAsync(string, string?, string?, TimeSpan?, CancellationToken)"/>
    /// <param name="item">The item.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    public ValueTask WriteAsync(SseItem<string> item, CancellationToken cancellationToken = default) =>
        WriteAsync(item.Data, TypeOf(item), item.EventId, item.ReconnectionInterval, cancellationToken);

    /// <summary>Writes an item with its type, id and reconnection interval, and its data as JSON.</summary>
    /// <inheritdoc cref="WriteAsync{T}(T, JsonTypeInfo{T}, string?, string?, TimeSpan?, CancellationToken)"/>
    /// <param name="item">The item. Where serialising its data throws, nothing has been written.</param>
    /// <param name="json">How to write its data.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    public ValueTask WriteAsync<T>(SseItem<T> item, JsonTypeInfo<T> json, CancellationToken cancellationToken = default) =>
        WriteAsync(item.Data, json, TypeOf(item), item.EventId, item.ReconnectionInterval, cancellationToken);

    /// <summary>Writes an event that was encoded before.</summary>
    /// <inheritdoc cref="WriteAsync(string, string?, string?, TimeSpan?, CancellationToken)"/>
    /// <param name="prepared">The event.</param>
    /// <param name="id">This stream's id for it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush. Bytes already written stay written.</param>
    public ValueTask WriteAsync(PreparedServerSentEvent prepared, string? id = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        return SendAsync(new PreparedPayload(prepared, id), cancellationToken);
    }

    /// <summary>Writes a comment, which clients ignore.</summary>
    /// <param name="comment">The text; it may have several lines.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush.</param>
    /// <returns>Completes as a written event does.</returns>
    /// <exception cref="OperationCanceledException">The stream has ended, or the token was cancelled.</exception>
    public ValueTask WriteCommentAsync(string comment, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(comment);
        return SendAsync(new CommentPayload(comment), cancellationToken);
    }

    /// <summary>Tells the client how long to wait before it reconnects, without an event.</summary>
    /// <param name="retry">The time, in whole milliseconds.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush.</param>
    /// <returns>Completes as a written event does.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is negative.</exception>
    /// <exception cref="OperationCanceledException">The stream has ended, or the token was cancelled.</exception>
    public ValueTask WriteRetryAsync(TimeSpan retry, CancellationToken cancellationToken = default) =>
        SendAsync(new RetryPayload(retry), cancellationToken);

    /// <summary>Moves the client's last event id, without an event.</summary>
    /// <param name="id">The id; empty to reset it.</param>
    /// <param name="cancellationToken">Ends the wait for an earlier write or for the flush.</param>
    /// <returns>Completes as a written event does.</returns>
    /// <exception cref="ArgumentException">The id contains CR, LF or NUL.</exception>
    /// <exception cref="OperationCanceledException">The stream has ended, or the token was cancelled.</exception>
    public ValueTask WriteIdAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        return SendAsync(new IdPayload(id), cancellationToken);
    }

    private static string? TypeOf<T>(in SseItem<T> item) => item.EventType == "message" ? null : item.EventType;
}
