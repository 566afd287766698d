using System.Globalization;
using System.Text;

namespace RealtimeKit.Topics.Tests;

internal static class Entries
{
    public const ulong Epoch = 7;

    public static TopicEntry Entry(ulong offset, string topic = "t", string? payload = null, string? key = null, ulong epoch = Epoch, DateTimeOffset? publishedAt = null) =>
        new(
            new TopicPublication(topic, Encoding.UTF8.GetBytes(payload ?? offset.ToString(CultureInfo.InvariantCulture))) { Key = key },
            new TopicPosition(epoch, offset),
            publishedAt ?? DateTimeOffset.UtcNow);

    public static string Text(this TopicEntry entry) => Encoding.UTF8.GetString(entry.Payload.Span);
}
