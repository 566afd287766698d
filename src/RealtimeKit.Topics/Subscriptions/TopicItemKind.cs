namespace RealtimeKit.Topics;

/// <summary>What a <see cref="TopicItem"/> is.</summary>
public enum TopicItemKind
{
    /// <summary>An entry of a topic.</summary>
    Entry,

    /// <summary>Entries that the subscriber does not get: it must be told.</summary>
    Gap,

    /// <summary>A topic was added to the subscription, which begins after <see cref="TopicItem.Position"/>. The cursor has changed.</summary>
    Joined,

    /// <summary>A topic was removed from the subscription. The cursor has changed.</summary>
    Left,
}
