using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using System.Text;
using System.Text.Unicode;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis;

/// <summary>
/// What an entry carries beside its payload: version (1 byte), message type (1), a random tag (8) that tells it from another entry with
/// its number, then event type, key, excluded connection and <c>traceparent</c>, each a length (2 bytes, 0xFFFF: none) and UTF-8; then,
/// where there is something to say, the publisher's user likewise and a byte that is 1 for JSON.
/// </summary>
internal static class EntryMetadata
{
    private const byte Version = 1;
    private const int TagOffset = 2;
    private const int HeaderLength = 10;
    private const ushort None = ushort.MaxValue;

    public static byte[] Encode(in TopicPublication publication, out ulong tag)
    {
        var trace = publication.Activity == default ? null
            : $"00-{publication.Activity.TraceId}-{publication.Activity.SpanId}-{(int)publication.Activity.TraceFlags:x2}";
        var bytes = new byte[HeaderLength + LengthOf(publication.EventType) + LengthOf(publication.Key) + LengthOf(publication.ExcludedConnection) + LengthOf(trace) + LengthOfRest(publication)];
        bytes[0] = Version;
        bytes[1] = (byte)(publication.MessageType
            ?? (Utf8.IsValid(publication.Payload.Span) ? WebSocketMessageType.Text : WebSocketMessageType.Binary));
        // Not a secret: it only has to differ. 0 means that there is none.
        tag = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(TagOffset), tag);
        var rest = bytes.AsSpan(HeaderLength);
        Write(publication.EventType, ref rest);
        Write(publication.Key, ref rest);
        Write(publication.ExcludedConnection, ref rest);
        Write(trace, ref rest);
        if (LengthOfRest(publication) > 0)
        {
            Write(publication.UserId, ref rest);
            rest[0] = publication.IsJson ? (byte)1 : (byte)0;
        }

        return bytes;
    }

    /// <summary>Reads an entry. False: it was not written by this package, or by a later one.</summary>
    public static bool TryDecode(
        string topic,
        TopicPosition position,
        DateTimeOffset publishedAt,
        ReadOnlySpan<byte> metadata,
        ReadOnlyMemory<byte> payload,
        [NotNullWhen(true)] out TopicEntry? entry,
        out ulong tag)
    {
        entry = null;
        tag = 0;
        if (metadata.Length < HeaderLength || metadata[0] != Version || metadata[1] > (byte)WebSocketMessageType.Binary)
            return false;
        var type = (WebSocketMessageType)metadata[1];
        tag = ReadTag(metadata[TagOffset..]);
        var rest = metadata[HeaderLength..];
        if (!TryRead(ref rest, out var eventType)
            || !TryRead(ref rest, out var key)
            || !TryRead(ref rest, out var excluded)
            || !TryRead(ref rest, out var trace)
            || eventType.AsSpan().ContainsAny('\r', '\n'))
            return false;
        string? userId = null;
        if (!rest.IsEmpty && !(TryRead(ref rest, out userId) && rest.Length == 1))
            return false;
        ActivityContext.TryParse(trace, null, isRemote: true, out var activity);
        var publication = new TopicPublication(topic, payload)
        {
            MessageType = type,
            EventType = eventType,
            Key = key,
            ExcludedConnection = excluded,
            IsJson = rest is [1],
            UserId = userId,
            Activity = activity,
        };
        entry = new TopicEntry(publication, position, publishedAt);
        return true;
    }

    /// <summary>The tag as the state holds it; 0 where there is none.</summary>
    public static ulong ReadTag(ReadOnlySpan<byte> bytes) => BinaryPrimitives.TryReadUInt64BigEndian(bytes, out var tag) ? tag : 0;

    private static int LengthOfRest(in TopicPublication publication) =>
        publication.UserId is null && !publication.IsJson ? 0 : LengthOf(publication.UserId) + 1;

    private static int LengthOf(string? text)
    {
        var length = text is null ? 0 : Encoding.UTF8.GetByteCount(text);
        return length < None ? 2 + length : throw new ArgumentException("An event type, key or connection id has at most 65,534 bytes as UTF-8.");
    }

    private static void Write(string? text, ref Span<byte> destination)
    {
        var length = text is null ? 0 : Encoding.UTF8.GetBytes(text, destination[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination, text is null ? None : (ushort)length);
        destination = destination[(2 + length)..];
    }

    private static bool TryRead(ref ReadOnlySpan<byte> source, out string? text)
    {
        text = null;
        if (!BinaryPrimitives.TryReadUInt16BigEndian(source, out var length))
            return false;
        source = source[2..];
        if (length == None)
            return true;
        if (length > source.Length)
            return false;
        text = Encoding.UTF8.GetString(source[..length]);
        source = source[length..];
        return true;
    }
}
