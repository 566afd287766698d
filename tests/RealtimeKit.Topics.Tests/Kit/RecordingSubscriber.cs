namespace RealtimeKit.Topics.Tests;

/// <summary>A subscriber that keeps what it is handed, and flushes when the test says so.</summary>
internal sealed class RecordingSubscriber(bool isHeld = false) : ITopicSubscriber
{
    private readonly Lock _lock = new();
    private readonly List<TopicItem> _items = [];
    private readonly List<int> _batches = [];
    private readonly List<string> _cursors = [];
    private TaskCompletionSource? _held = isHeld ? new(TaskCreationOptions.RunContinuationsAsynchronously) : null;

    public IReadOnlyList<int> Batches
    {
        get
        {
            lock (_lock)
                return [.. _batches];
        }
    }

    public IReadOnlyList<string> Cursors
    {
        get
        {
            lock (_lock)
                return [.. _cursors];
        }
    }

    public bool TakesCursors { get; init; }

    public Exception? Error { get; set; }

    public TaskCompletionSource<TopicSubscriptionEnd> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TopicItem[] Items
    {
        get
        {
            lock (_lock)
                return [.. _items];
        }
    }

    public TopicEntry[] Entries => [.. Items.Where(item => item.Kind == TopicItemKind.Entry).Select(item => item.Entry)];

    public TopicGap[] Gaps => [.. Items.Where(item => item.Kind == TopicItemKind.Gap).Select(item => item.Gap)];

    public string[] Texts => [.. Entries.Select(entry => System.Text.Encoding.UTF8.GetString(entry.Payload.Span))];

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
    {
        lock (_lock)
        {
            if (Error is not null)
                return ValueTask.FromException(Error);
            foreach (var item in items)
            {
                _items.Add(item);
                if (TakesCursors)
                    _cursors.Add(System.Text.Encoding.ASCII.GetString(subscription.GetCursor(item)));
            }

            _batches.Add(items.Length);
            return _held is null ? default : new ValueTask(_held.Task);
        }
    }

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => Ended.TrySetResult(reason);

    /// <summary>Flushes what is held, and everything from now on.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _held?.TrySetResult();
            _held = null;
        }
    }

    /// <summary>Flushes what is held; the next batch is held again.</summary>
    public void ReleaseOne()
    {
        lock (_lock)
        {
            var held = _held;
            _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
            held?.TrySetResult();
        }
    }
}
