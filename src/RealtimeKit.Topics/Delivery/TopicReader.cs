using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace RealtimeKit.Topics;

/// <summary>A subscriber that hands items to an enumerator: a batch is flushed when all of it was read.</summary>
internal sealed class TopicReader : ITopicSubscriber, IValueTaskSource
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _flushed;
    private TopicItem[] _items = [];
    private int _count;
    private TaskCompletionSource? _arrived;
    private (TopicSubscriptionEnd Reason, Exception? Exception)? _end;

    public static async IAsyncEnumerable<TopicItem> ReadAllAsync(
        TopicHub hub,
        IEnumerable<string> topics,
        TopicCursor? after,
        TopicSubscribeOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = new TopicReader();
        var subscription = await hub.SubscribeAsync(reader, topics, after, options, cancellationToken).ConfigureAwait(false);
        await using (subscription.ConfigureAwait(false))
        {
            while (await reader.WaitAsync(subscription, cancellationToken).ConfigureAwait(false) is var count and > 0)
            {
                for (var i = 0; i < count; i++)
                {
                    if (reader._items[i].Kind is TopicItemKind.Entry or TopicItemKind.Gap)
                        yield return reader._items[i];
                    cancellationToken.ThrowIfCancellationRequested();
                }

                reader.Release();
            }
        }
    }

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
    {
        lock (_lock)
        {
            if (_items.Length < items.Length)
                _items = new TopicItem[items.Length];
            items.CopyTo(_items);
            _count = items.Length;
            _flushed.Reset();
            _arrived?.TrySetResult();
            _arrived = null;
            return new ValueTask(this, _flushed.Version);
        }
    }

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
    {
        lock (_lock)
        {
            _end = (reason, exception);
            _arrived?.TrySetResult();
            _arrived = null;
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _flushed.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _flushed.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _flushed.GetResult(token);

    // 0: the end.
    private async ValueTask<int> WaitAsync(TopicSubscription subscription, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrived;
            lock (_lock)
            {
                if (_count > 0)
                    return _count;
                if (_end is { } end)
                {
                    return end.Reason == TopicSubscriptionEnd.Draining
                        ? 0
                        : throw new TopicSubscriptionEndedException(end.Reason, subscription.Cursor, end.Exception);
                }

                _arrived ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Release()
    {
        lock (_lock)
        {
            Array.Clear(_items, 0, _count);
            _count = 0;
        }

        // The next batch is put together on this thread, and nothing more: delivering it only copies.
        _flushed.SetResult(true);
    }
}
