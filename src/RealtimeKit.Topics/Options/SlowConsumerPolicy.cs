namespace RealtimeKit.Topics;

/// <summary>
/// What happens to a subscriber that falls behind. Whatever is skipped is told to it. The other subscribers notice nothing in any case:
/// nobody has a queue, and nobody waits for anybody.
/// </summary>
public enum SlowConsumerPolicy
{
    /// <summary>It gets every entry that is still in the topic's history, however late; what has left the history is a gap.</summary>
    Wait,

    /// <summary>Behind by more than <see cref="TopicOptions.MaxLag"/> entries, it goes on with the newest entry; the rest is a gap.</summary>
    SkipToNewest,

    /// <summary>
    /// Behind by more than <see cref="TopicOptions.MaxLag"/> entries, of the unread entries with one key it gets only the newest; the
    /// others are gaps. Entries without a key are all delivered.
    /// </summary>
    Conflate,

    /// <summary>Behind by more than <see cref="TopicOptions.MaxLag"/> entries, its subscription ends as <see cref="TopicSubscriptionEnd.TooSlow"/>.</summary>
    Disconnect,
}
