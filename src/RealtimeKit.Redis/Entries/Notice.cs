using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis;

/// <summary>
/// What a topic's channel says of each entry: <c>epoch-offset time length</c>, each followed by a space, then the metadata of that length
/// and the payload; length 0 and nothing more where the payload is too large. Offset 0 announces a new epoch.
/// </summary>
internal static class Notice
{
    public static bool TryRead(string topic, byte[] notice, out TopicPosition position, out TopicEntry? entry, out ulong tag)
    {
        position = default;
        entry = null;
        tag = 0;
        ReadOnlySpan<byte> rest = notice;
        if (!TryReadNumber(ref rest, '-', out var epoch) || !TryReadNumber(ref rest, ' ', out var offset)
            || !TryReadNumber(ref rest, ' ', out var milliseconds) || !TryReadNumber(ref rest, ' ', out var length)
            || length > (ulong)rest.Length)
            return false;
        position = new TopicPosition(epoch, offset);
        if (length == 0)
            return true;
        var start = notice.Length - rest.Length;
        var payload = notice.AsMemory(start + (int)length);
        // One that cannot be read is as good as none: the stream says what it is.
        _ = EntryMetadata.TryDecode(
            topic, position, StoredEntry.Time((long)Math.Min(milliseconds, long.MaxValue)), rest[..(int)length], payload, out entry, out tag);
        return true;
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> source, char end, out ulong number)
    {
        if (!Utf8Parser.TryParse(source, out number, out var length) || length >= source.Length || source[length] != end)
            return false;
        source = source[(length + 1)..];
        return true;
    }
}
