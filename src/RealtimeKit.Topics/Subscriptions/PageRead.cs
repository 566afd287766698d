namespace RealtimeKit.Topics;

/// <summary>A page that a subscription reads from the engine, and what of it has not been delivered yet.</summary>
internal sealed class PageRead(ITopicEngine engine, TopicSlot slot, TopicPosition seen, TimeProvider clock)
{
    private const int MaxCount = 64;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private TopicPage _page;
    private int _next;

    public TopicSlot Slot => slot;

    /// <summary>The log's newest position before the engine was asked.</summary>
    public TopicPosition Seen => seen;

    public bool IsDone { get; private set; }

    public bool IsEmpty => _page.Gap is null && _next == _page.Entries.Length;

    /// <summary>Whether the engine had nothing to give.</summary>
    public bool WasEmpty { get; private set; }

    /// <summary>Reads; while the store cannot be reached, again and again: the subscriber stays connected and catches up afterwards.</summary>
    public async ValueTask ReadAsync()
    {
        var pause = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                _page = await engine.ReadAsync(slot.Log.Topic, slot.Position, MaxCount, CancellationToken.None).ConfigureAwait(false);
                break;
            }
            catch (TopicEngineException)
            {
                // Nobody asks for the page any more, and the other topics wait behind it.
                if (slot.IsRemoved)
                    break;
                await Task.Delay(pause, clock).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }

        WasEmpty = IsEmpty;
        IsDone = true;
    }

    public TopicGap? TakeGap()
    {
        var gap = _page.Gap;
        _page = _page with { Gap = null };
        return gap;
    }

    /// <summary>What the page has left is not wanted.</summary>
    public void DropEntries() => _next = _page.Entries.Length;

    public TopicEntry? TakeEntry() => _next < _page.Entries.Length ? _page.Entries.Span[_next++] : null;
}
