namespace RealtimeKit.Topics;

/// <summary>Reads messages again that were sent and not acknowledged, in their order, a page of a topic's log at a time.</summary>
internal sealed class WebPubSubReplay(ITopicEngine engine)
{
    private const int PageSize = 64;

    private readonly Dictionary<string, (ReadOnlyMemory<TopicEntry> Entries, int Next)> _pages = new(StringComparer.Ordinal);

    /// <summary>The entry at a place; places of one topic are asked for in their order.</summary>
    /// <returns><see langword="null"/> where the log does not have it any more.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public async ValueTask<TopicEntry?> FindAsync(string topic, TopicPosition position, CancellationToken cancellationToken)
    {
        _pages.TryGetValue(topic, out var page);
        if (TryTake(topic, page, position, out var entry))
            return entry;
        var before = position with { Offset = position.Offset - 1 };   // an entry's is 1 or more
        var read = await engine.ReadAsync(topic, before, PageSize, cancellationToken).ConfigureAwait(false);
        TryTake(topic, (read.Entries, 0), position, out entry);
        return entry;
    }

    // False: the page ends before the position.
    private bool TryTake(string topic, (ReadOnlyMemory<TopicEntry> Entries, int Next) page, TopicPosition position, out TopicEntry? entry)
    {
        entry = null;
        var entries = page.Entries.Span;
        for (var i = page.Next; i < entries.Length; i++)
        {
            if (entries[i].Position < position)
                continue;
            if (entries[i].Position == position)
                entry = entries[i++];
            _pages[topic] = (page.Entries, i);
            return true;
        }

        return false;
    }
}
