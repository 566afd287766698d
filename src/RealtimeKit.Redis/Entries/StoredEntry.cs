using System.Globalization;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>An entry as it stands in the stream. Without <see cref="Entry"/>: something that this package did not write, and so does not understand.</summary>
internal readonly record struct StoredEntry(TopicPosition Position, TopicEntry? Entry, ulong Tag)
{
    public static StoredEntry Read(string topic, in StreamEntry stored)
    {
        if (!TopicPosition.TryParse(((string?)stored.Id).AsSpan(), out var position))
            return default;
        long milliseconds = 0;
        byte[]? metadata = null, payload = null;
        foreach (var field in stored.Values)
        {
            if (field.Name == "t")
                _ = long.TryParse((string?)field.Value, NumberStyles.None, CultureInfo.InvariantCulture, out milliseconds);
            else if (field.Name == "m")
                metadata = field.Value;
            else if (field.Name == "d")
                payload = field.Value;
        }

        return EntryMetadata.TryDecode(topic, position, Time(milliseconds), metadata, payload, out var entry, out var tag)
            ? new StoredEntry(position, entry, tag)
            : new StoredEntry(position, null, 0);
    }

    /// <summary>A time in milliseconds since 1970; clamped, as Redis may say anything.</summary>
    public static DateTimeOffset Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
