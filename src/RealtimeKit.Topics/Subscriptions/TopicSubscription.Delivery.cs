using System.Diagnostics.CodeAnalysis;

namespace RealtimeKit.Topics;

// Whoever wakes the subscription runs it, until everything is delivered or a flush is pending; whoever completes the flush goes on. So
// there is no task, no loop that waits and no allocation: an idle subscription is an object in a list.
[SuppressMessage("Reliability", "CA2012", Justification = "The pending task is kept in a field for as long as it pends, and consumed once.")]
public sealed partial class TopicSubscription : IThreadPoolWorkItem
{
    // After so many batches on one thread the subscription queues behind the others.
    private const int BatchesInTurn = 8;

    private const int Idle = 0;
    private const int Running = 1;
    private const int RunningAndWoken = 2;

    // A batch is handed over as a span, so that its memory is free again while it is flushed. Taken while it is in use: a flush that
    // completes on the same thread may run another subscription.
    [ThreadStatic]
    private static TopicItem[]? _spareItems;

    private int _state;
    private bool _isReady;   // the subscriber has nothing unflushed
    private bool _isSingle;   // the batch in flight is of one topic, and there is no other
    private uint _turn;   // which topic comes first in the next batch
    private TopicSubscriptionEnd? _endAfterFlush;
    private ValueTask _pending;
    private Action? _onCompleted;   // made with the first flush that pends
    private PageRead? _page;

    void IThreadPoolWorkItem.Execute() => Run();

    /// <summary>There may be something to deliver: runs the subscription unless somebody does.</summary>
    internal void Wake()
    {
        if (TryStart())
            Run();
    }

    internal void WakeOnPool()
    {
        if (TryStart())
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private bool TryStart()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Idle:
                    if (Interlocked.CompareExchange(ref _state, Running, Idle) == Idle)
                        return true;
                    break;
                case Running:
                    if (Interlocked.CompareExchange(ref _state, RunningAndWoken, Running) == Running)
                        return false;
                    break;
                default:
                    return false;
            }
        }
    }

    // Who runs the subscription ends it here, unless it was woken meanwhile.
    private bool TryStop()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Running) == Running)
            return true;
        Volatile.Write(ref _state, Running);
        return false;
    }

    private void Run()
    {
        try
        {
            for (var batches = 0; Volatile.Read(ref _end) == NotEnded;)
            {
                if (!_isReady)
                {
                    if (_endAfterFlush is { } reason)
                    {
                        Fail(reason, null);
                        return;
                    }

                    if (_page is { IsDone: false } && Pends(_page.ReadAsync()))
                        return;
                    _isReady = true;
                    if (Pends(_subscriber.WaitUntilReadyAsync()))
                        return;
                }

                if (batches++ == BatchesInTurn)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }

                _isReady = false;
                if (!Deliver(out var isIdle) || (isIdle && TryStop()))
                    return;
            }
        }
        catch (Exception error)
        {
            Fail(TopicSubscriptionEnd.Failed, error);
        }
    }

    private void Fail(TopicSubscriptionEnd reason, Exception? error) => _ = EndAsync(reason, error).AsTask();

    // True: whoever completes the task goes on.
    private bool Pends(ValueTask task)
    {
        if (task.IsCompleted)
        {
            task.GetAwaiter().GetResult();
            return false;
        }

        _pending = task;
        _pending.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onCompleted ??= OnCompleted);
        return true;
    }

    private void OnCompleted()
    {
        try
        {
            var pending = _pending;
            _pending = default;
            pending.GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            Fail(TopicSubscriptionEnd.Failed, error);
            return;
        }

        Run();
    }

    /// <summary>Hands the next batch over. False: its flush pends.</summary>
    private bool Deliver(out bool isIdle)
    {
        var size = _hub.Options.BatchCount;
        var items = _spareItems is { } spare && spare.Length >= size ? spare : new TopicItem[size];
        _spareItems = null;
        var batch = new TopicBatch(items.AsSpan(0, size), _hub.Options.BatchBytes);
        var pends = false;
        try
        {
            _endAfterFlush = Collect(ref batch, out isIdle);
            isIdle &= _endAfterFlush is null;
            if (batch.Count > 0)
            {
                var flush = _subscriber.DeliverAsync(this, batch.Items);
                Commit(batch.Items);
                _hub.OnDelivered(batch.Items);
                pends = Pends(flush);
            }
        }
        finally
        {
            // Entries must not live on in the spare.
            items.AsSpan(0, batch.Count).Clear();
            _spareItems = items;
        }

        return !pends;
    }

    /// <summary>Puts a batch together: what was removed and added, then every topic its share.</summary>
    private TopicSubscriptionEnd? Collect(ref TopicBatch batch, out bool isIdle)
    {
        using var scope = _gate.Enter();
        isIdle = true;
        _isSingle = _slotCount == 1 && _left is null;
        if (_isSingle)
            _cursorText = null;
        if (_left is not null)
            TellLeft(ref batch);

        var ready = 0;
        for (var slot = _firstSlot; slot is not null; slot = slot.NextOfSubscription)
        {
            if (!slot.IsLinked)
                ready++;
        }

        if (ready == 0)
        {
            isIdle = _left is null;
            return null;
        }

        var first = SlotAt(_turn++ % (uint)_slotCount);
        var current = first;
        do
        {
            if (!current.IsLinked)
            {
                if (batch.Room == 0)
                {
                    isIdle = false;
                    return null;
                }

                var share = Math.Max(batch.Room / Math.Max(ready--, 1), 1);
                if (CollectFrom(current, ref batch, share, ref isIdle) is { } end)
                    return end;
            }

            current = current.NextOfSubscription ?? _firstSlot!;
        }
        while (current != first);
        return null;
    }

    private TopicSubscriptionEnd? CollectFrom(TopicSlot slot, ref TopicBatch batch, int share, ref bool isIdle)
    {
        if (!slot.IsJoined)
        {
            slot.IsJoined = true;
            batch.Add(new TopicItem(TopicItemKind.Joined, slot.Log.Topic, slot.Position));
        }

        if (_page is { } page && page.Slot == slot && page.IsDone)
        {
            isIdle = false;
            return CollectPage(page, ref batch, share);
        }

        switch (slot.Log.Collect(slot, ref batch, share))
        {
            case TopicLogCollect.CaughtUp:
                return null;
            case TopicLogCollect.TooSlow:
                return TopicSubscriptionEnd.TooSlow;
            case TopicLogCollect.Gap:
                return TopicSubscriptionEnd.Gap;
            case TopicLogCollect.OutsideWindow:
                // One page at a time: other topics that need one come after it.
                if (_page is null || _page.Slot.IsRemoved)
                    _page = new PageRead(_hub.Engine, slot, slot.Log.Position, _hub.Options.TimeProvider);
                break;
        }

        isIdle = false;
        return null;
    }

    private TopicSubscriptionEnd? CollectPage(PageRead page, ref TopicBatch batch, int share)
    {
        var slot = page.Slot;
        if (page.TakeGap() is { } gap)
        {
            if (EndsAtGap)
                return TopicSubscriptionEnd.Gap;
            var to = gap.To;
            if (slot.Log.Options.SlowConsumers == SlowConsumerPolicy.SkipToNewest && IsPastHistory(slot.Position, to, slot.Log.Position, out var beforeNewest))
            {
                to = beforeNewest;
                page.DropEntries();
            }

            batch.Add(new TopicItem(new TopicGap(slot.Log.Topic, slot.Position, to)));
            slot.Position = to;
            share--;
        }

        while (share > 0 && batch.Room > 0 && page.TakeEntry() is { } entry)
        {
            slot.Position = entry.Position;
            if (entry.ExcludedConnection is not null && entry.ExcludedConnection == ConnectionId)
                continue;
            batch.Add(new TopicItem(entry));
            share--;
        }

        if (!page.IsEmpty)
            return null;
        _page = null;

        // Nothing at all: the position is ahead of what has reached this node, and the next append may be what it waits for.
        if (page.WasEmpty)
            slot.Log.TryLink(slot, page.Seen);
        return null;
    }

    // Whether a gap leaves more than the newest entry of an epoch that goes on.
    private static bool IsPastHistory(TopicPosition from, TopicPosition to, TopicPosition newest, out TopicPosition beforeNewest)
    {
        beforeNewest = newest with { Offset = Math.Max(newest.Offset, 1) - 1 };
        return from.Epoch == newest.Epoch && from < to && to < beforeNewest;
    }

    private void TellLeft(ref TopicBatch batch)
    {
        while (_left is { Count: > 0 } && batch.Room > 0)
        {
            batch.Add(new TopicItem(TopicItemKind.Left, _left[0].Log.Topic, _left[0].Told));
            _left.RemoveAt(0);
        }

        if (_left is { Count: 0 })
            _left = null;
    }

    // The subscriber has the batch: this is where it would go on.
    private void Commit(ReadOnlySpan<TopicItem> items)
    {
        using var scope = _gate.Enter();
        TopicSlot? slot = null;
        foreach (ref readonly var item in items)
        {
            if (slot is null || !ReferenceEquals(slot.Log.Topic, item.Topic))
                slot = Find(item.Topic, out _);
            if (slot is not null && item.Kind != TopicItemKind.Left)
                slot.Told = item.Position;
            if (_cursorText is null)
                continue;
            if (item.Kind == TopicItemKind.Left)
                _cursorText.Remove(item.Topic);
            else
                _cursorText.Set(item.Topic, item.Position);
        }
    }

    private TopicSlot SlotAt(uint index)
    {
        var slot = _firstSlot!;
        while (index-- > 0)
            slot = slot.NextOfSubscription!;
        return slot;
    }
}
