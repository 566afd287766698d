namespace RealtimeKit.Topics;

/// <summary>A batch that is being filled: so many items, and so many bytes of payload.</summary>
internal ref struct TopicBatch(Span<TopicItem> items, long bytes)
{
    private readonly Span<TopicItem> _items = items;
    private long _bytes = bytes;

    public int Count { get; private set; }

    /// <summary>How many items may still be added; with no bytes left, none.</summary>
    public readonly int Room => _bytes > 0 ? _items.Length - Count : 0;

    public readonly ReadOnlySpan<TopicItem> Items => _items[..Count];

    public void Add(in TopicItem item)
    {
        _items[Count++] = item;
        if (item.Kind == TopicItemKind.Entry)
            _bytes -= item.Entry.Payload.Length + 1L;
    }
}
