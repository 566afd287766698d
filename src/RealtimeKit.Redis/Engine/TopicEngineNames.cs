using RealtimeKit.Topics;

namespace RealtimeKit.Redis;

internal static class TopicEngineNames
{
    /// <summary>The hub has checked it for its callers; an engine used directly checks it too, as names become keys.</summary>
    public static void ThrowIfInvalid(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (!TopicName.IsValid(topic))
            throw new ArgumentException("A topic's name has 1 to 256 bytes as UTF-8 and no control characters.", nameof(topic));
    }
}
