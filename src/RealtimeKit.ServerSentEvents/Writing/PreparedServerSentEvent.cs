using System.Buffers;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// An event encoded once, its type, data and final blank line, to be written to any number of streams, each with an id of its own.
/// Immutable and safe to share between threads; nothing has to be returned.
/// </summary>
public sealed class PreparedServerSentEvent
{
    private PreparedServerSentEvent(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    /// <summary>The encoded event: <c>event</c> and <c>data</c> lines and the blank line that dispatches it.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Encodes an event with data in UTF-16.</summary>
    /// <param name="data">The data.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <returns>The encoded event.</returns>
    /// <exception cref="ArgumentException">The type contains CR, LF or NUL.</exception>
    public static PreparedServerSentEvent Create(ReadOnlySpan<char> data, string? eventType = null)
    {
        var output = new ArrayBufferWriter<byte>(data.Length + 64);
        ServerSentEventFormatter.WriteEvent(output, data, eventType);
        return new PreparedServerSentEvent(output.WrittenSpan.ToArray());
    }

    /// <summary>Encodes an event with data in UTF-8.</summary>
    /// <param name="utf8Data">The data.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <returns>The encoded event.</returns>
    /// <exception cref="ArgumentException">The type contains CR, LF or NUL.</exception>
    public static PreparedServerSentEvent Create(ReadOnlySpan<byte> utf8Data, string? eventType = null)
    {
        var output = new ArrayBufferWriter<byte>(utf8Data.Length + 64);
        ServerSentEventFormatter.WriteEvent(output, utf8Data, eventType);
        return new PreparedServerSentEvent(output.WrittenSpan.ToArray());
    }

    /// <summary>Encodes an event whose data is a value's JSON.</summary>
    /// <param name="data">The value.</param>
    /// <param name="json">How to write it.</param>
    /// <param name="eventType">The event's type; null or empty for <c>message</c>.</param>
    /// <returns>The encoded event.</returns>
    /// <exception cref="ArgumentException">The type contains CR, LF or NUL.</exception>
    public static PreparedServerSentEvent Create<T>(T data, JsonTypeInfo<T> json, string? eventType = null)
    {
        var output = new ArrayBufferWriter<byte>();
        ServerSentEventFormatter.WriteEvent(output, data, json, eventType);
        return new PreparedServerSentEvent(output.WrittenSpan.ToArray());
    }

    /// <summary>What a host writes first on every stream: no event, but a comment and a reconnection time.</summary>
    internal static PreparedServerSentEvent CreateOpening(string? comment, TimeSpan? retry)
    {
        var output = new ArrayBufferWriter<byte>();
        if (comment is not null)
            ServerSentEventFormatter.WriteComment(output, comment);
        if (retry is { } time)
            ServerSentEventFormatter.WriteRetry(output, time);
        return new PreparedServerSentEvent(output.WrittenSpan.ToArray());
    }
}
