using System.Buffers;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Writes the event stream format (WHATWG HTML §9.2.5) into any <see cref="IBufferWriter{T}"/>, for those who own their transport.
/// What is written parses back to what was given: data is split on CR, LF and CRLF, whose ends all come back as LF, and an event type or
/// id that could inject a field is refused before a byte is written. Nothing is flushed here.
/// </summary>
public static class ServerSentEventFormatter
{
    /// <summary>Writes an event with data in UTF-8.</summary>
    /// <typeparam name="TWriter">The writer's type; a struct or sealed class is called without virtual dispatch.</typeparam>
    /// <param name="output">Where to write.</param>
    /// <param name="utf8Data">The data, in UTF-8, which is not checked. Empty data is an event too.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    /// <exception cref="ArgumentException">The type or the id contains CR, LF or NUL.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is negative.</exception>
    public static void WriteEvent<TWriter>(
        TWriter output, ReadOnlySpan<byte> utf8Data, string? eventType = null, string? id = null, TimeSpan? retry = null)
        where TWriter : IBufferWriter<byte>
    {
        if (ShortEvent.TryWrite(output, utf8Data, eventType, id, retry))
            return;
        WriteFields(output, eventType, id, retry);
        WriteData(output, utf8Data);
        WriteEnd(output);
    }

    /// <summary>Writes an event with data in UTF-16; a lone surrogate becomes U+FFFD.</summary>
    /// <inheritdoc cref="WriteEvent{TWriter}(TWriter, ReadOnlySpan{byte}, string?, string?, TimeSpan?)"/>
    /// <param name="output">Where to write.</param>
    /// <param name="data">The data. Empty data is an event too.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    public static void WriteEvent<TWriter>(
        TWriter output, ReadOnlySpan<char> data, string? eventType = null, string? id = null, TimeSpan? retry = null)
        where TWriter : IBufferWriter<byte>
    {
        if (ShortEvent.TryWrite(output, data, eventType, id, retry))
            return;
        WriteFields(output, eventType, id, retry);
        WriteData(output, data);
        WriteEnd(output);
    }

    /// <summary>Writes an event with data in UTF-8 that may lie in several segments.</summary>
    /// <inheritdoc cref="WriteEvent{TWriter}(TWriter, ReadOnlySpan{byte}, string?, string?, TimeSpan?)"/>
    public static void WriteEvent<TWriter>(
        TWriter output, in ReadOnlySequence<byte> utf8Data, string? eventType = null, string? id = null, TimeSpan? retry = null)
        where TWriter : IBufferWriter<byte>
    {
        WriteFields(output, eventType, id, retry);
        WriteData(output, utf8Data);
        WriteEnd(output);
    }

    /// <summary>Writes an event whose data is a value's JSON, serialised into the output's own memory where it fits.</summary>
    /// <inheritdoc cref="WriteEvent{TWriter}(TWriter, ReadOnlySpan{byte}, string?, string?, TimeSpan?)"/>
    /// <param name="output">Where to write. Nothing is written when serialising throws.</param>
    /// <param name="data">The value.</param>
    /// <param name="json">How to write it.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <param name="id">The event's id; null for none, empty to reset the client's last event id.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds; null for nothing said.</param>
    public static void WriteEvent<T>(
        IBufferWriter<byte> output, T data, JsonTypeInfo<T> json, string? eventType = null, string? id = null, TimeSpan? retry = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonEventWriter.Write(output, data, json, eventType, id, retry);
    }

    /// <summary>Writes an event that was encoded before.</summary>
    /// <typeparam name="TWriter">The writer's type.</typeparam>
    /// <param name="output">Where to write.</param>
    /// <param name="prepared">The event.</param>
    /// <param name="id">This stream's id for it; null for none.</param>
    /// <exception cref="ArgumentException">The id contains CR, LF or NUL.</exception>
    public static void WriteEvent<TWriter>(TWriter output, PreparedServerSentEvent prepared, string? id = null)
        where TWriter : IBufferWriter<byte>
    {
        ArgumentNullException.ThrowIfNull(prepared);
        WriteFields(output, null, id, null);
        FieldWriter.Write(output, prepared.Utf8.Span);
    }

    /// <summary>Writes a comment, which clients ignore: one line for each line of the text, then a blank line.</summary>
    /// <typeparam name="TWriter">The writer's type.</typeparam>
    /// <param name="output">Where to write.</param>
    /// <param name="comment">The text; it may be empty.</param>
    public static void WriteComment<TWriter>(TWriter output, ReadOnlySpan<char> comment)
        where TWriter : IBufferWriter<byte>
    {
        FieldWriter.WriteLines(output, ": "u8, comment);
        WriteEnd(output);
    }

    /// <summary>Writes a <c>retry</c> field and a blank line: no event, but the client's reconnection time from now on.</summary>
    /// <typeparam name="TWriter">The writer's type.</typeparam>
    /// <param name="output">Where to write.</param>
    /// <param name="retry">How long the client shall wait before it reconnects, in whole milliseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is negative.</exception>
    public static void WriteRetry<TWriter>(TWriter output, TimeSpan retry)
        where TWriter : IBufferWriter<byte>
    {
        WriteFields(output, null, null, retry);
        WriteEnd(output);
    }

    /// <summary>Writes an <c>id</c> field and a blank line: no event, but the client's last event id from now on.</summary>
    /// <typeparam name="TWriter">The writer's type.</typeparam>
    /// <param name="output">Where to write.</param>
    /// <param name="id">The id; empty to reset it.</param>
    /// <exception cref="ArgumentException">The id contains CR, LF or NUL.</exception>
    public static void WriteId<TWriter>(TWriter output, string id)
        where TWriter : IBufferWriter<byte>
    {
        ArgumentNullException.ThrowIfNull(id);
        WriteFields(output, null, id, null);
        WriteEnd(output);
    }

    /// <summary>Checks all fields, then writes those before the data.</summary>
    internal static void WriteFields<TWriter>(TWriter output, string? eventType, string? id, TimeSpan? retry)
        where TWriter : IBufferWriter<byte>
    {
        Validate(eventType, id, retry);
        if (!string.IsNullOrEmpty(eventType))
            FieldWriter.WriteLine(output, "event: "u8, eventType);
        if (id is not null)
            FieldWriter.WriteLine(output, "id: "u8, id);
        if (retry is { } time)
            WriteRetryField(output, time);
    }

    /// <summary>Refuses what would end a field early and begin another, before anything is written.</summary>
    internal static void Validate(string? eventType, string? id, TimeSpan? retry)
    {
        // NUL ends no field, but cuts a name short wherever it is handled as a C string.
        if (eventType is not null && eventType.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("An event type must not contain CR, LF or NUL.", nameof(eventType));

        // WHATWG HTML §9.2.6: an id with U+0000 is ignored by clients, so that their cursor would silently stay behind.
        if (id is not null && id.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("An event id must not contain CR, LF or NUL.", nameof(id));
        if (retry is { } time)
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(retry));
    }

    internal static void WriteData<TWriter>(TWriter output, ReadOnlySpan<byte> utf8Data)
        where TWriter : IBufferWriter<byte> =>
        FieldWriter.WriteLines(output, "data: "u8, utf8Data);

    internal static void WriteData<TWriter>(TWriter output, ReadOnlySpan<char> data)
        where TWriter : IBufferWriter<byte> =>
        FieldWriter.WriteLines(output, "data: "u8, data);

    internal static void WriteData<TWriter>(TWriter output, in ReadOnlySequence<byte> utf8Data)
        where TWriter : IBufferWriter<byte> =>
        FieldWriter.WriteLines(output, "data: "u8, utf8Data);

    internal static void WriteEnd<TWriter>(TWriter output)
        where TWriter : IBufferWriter<byte>
    {
        output.GetSpan(1)[0] = (byte)'\n';
        output.Advance(1);
    }

    private static void WriteRetryField<TWriter>(TWriter output, TimeSpan retry)
        where TWriter : IBufferWriter<byte>
    {
        output.Advance(ShortEvent.WriteRetry(output.GetSpan(ShortEvent.MaxRetryLength), retry));
    }
}
