namespace RealtimeKit.Topics;

/// <summary>One thing that a subscriber is handed: an entry, a gap, or that a topic was added or removed.</summary>
public readonly struct TopicItem
{
    private readonly TopicEntry? _entry;
    private readonly string _topic;
    private readonly TopicPosition _from;
    private readonly TopicPosition _to;

    /// <summary>Makes an entry's item.</summary>
    /// <param name="entry">The entry.</param>
    public TopicItem(TopicEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _entry = entry;
        _topic = entry.Topic;
        _to = entry.Position;
    }

    /// <summary>Makes a gap's item.</summary>
    /// <param name="gap">The gap.</param>
    public TopicItem(in TopicGap gap)
    {
        Kind = TopicItemKind.Gap;
        _topic = gap.Topic;
        _from = gap.From;
        _to = gap.To;
    }

    internal TopicItem(TopicItemKind kind, string topic, TopicPosition position)
    {
        Kind = kind;
        _topic = topic;
        _to = position;
    }

    /// <summary>What it is.</summary>
    public TopicItemKind Kind { get; }

    /// <summary>The topic.</summary>
    public string Topic => _topic;

    /// <summary>The subscriber's position in the topic after this item.</summary>
    public TopicPosition Position => _to;

    /// <summary>The entry.</summary>
    /// <exception cref="InvalidOperationException">It is not an entry.</exception>
    public TopicEntry Entry => _entry ?? throw new InvalidOperationException("The item is not an entry.");

    /// <summary>The gap.</summary>
    /// <exception cref="InvalidOperationException">It is not a gap.</exception>
    public TopicGap Gap => Kind == TopicItemKind.Gap
        ? new TopicGap(_topic, _from, _to)
        : throw new InvalidOperationException("The item is not a gap.");
}
