using System.Runtime.CompilerServices;

namespace RealtimeKit.Topics;

// Subscriptions that have caught up stand in a list. An append takes the whole list, in one step however long it is, and workers on the
// pool run its subscriptions in chunks: the publisher does none of it.
public sealed partial class TopicLog
{
    private const int ChunkSize = 32;
    private static readonly int MaxWorkers = Environment.ProcessorCount;

    private TopicSlot? _waitingFirst;
    private TopicSlot? _waitingLast;
    private TopicSlot? _wakingFirst;
    private TopicSlot? _wakingLast;
    private int _workers;
    private Waker? _waker;

    /// <summary>
    /// Adds what stands after the slot's position to a batch, as the topic's policy has it, moves the position, and links the slot where
    /// nothing more is left. Only whoever runs the slot's subscription may call it.
    /// </summary>
    internal TopicLogCollect Collect(TopicSlot slot, ref TopicBatch batch, int most)
    {
        lock (_lock)
        {
            if (most <= 0 || batch.Room == 0)
                return TopicLogCollect.More;
            if (!TryFindAfter(slot.Position, out var index))
            {
                if (Options.SlowConsumers == SlowConsumerPolicy.Disconnect && slot.HasCaughtUp && slot.Position.Epoch == _last.Epoch)
                    return TopicLogCollect.TooSlow;

                if (Options.SlowConsumers != SlowConsumerPolicy.SkipToNewest || slot.Position.Epoch != _last.Epoch || slot.Position > _last)
                    return TopicLogCollect.OutsideWindow;

                // Where the log began later, the engine may have what stands before. Whoever skips to the newest entry needs it where that
                // is within the lag, or the newest itself.
                if (_floor == _start)
                {
                    if (_last.Offset - slot.Position.Offset <= (ulong)Math.Max(Options.MaxLag, 1))
                        return TopicLogCollect.OutsideWindow;
                    if (_count == 0)
                        return TrySkip(slot, ref batch, BeforeLast()) ? TopicLogCollect.More : TopicLogCollect.Gap;
                }

                index = 0;
            }

            var behind = _count - index;
            var isLate = behind > Options.MaxLag || slot.Position < _floor;
            var skipsSuperseded = false;
            if (isLate)
            {
                switch (Options.SlowConsumers)
                {
                    case SlowConsumerPolicy.Disconnect when slot.HasCaughtUp:
                        return TopicLogCollect.TooSlow;
                    case SlowConsumerPolicy.SkipToNewest when behind > 1 || slot.Position < _floor:
                        if (!TrySkip(slot, ref batch, behind > 1 ? At(_count - 2).Position : _floor))
                            return TopicLogCollect.Gap;
                        index = Math.Max(_count - 1, 0);
                        most--;
                        break;
                    case SlowConsumerPolicy.Conflate:
                        skipsSuperseded = true;
                        break;
                }
            }

            for (; index < _count; index++)
            {
                var entry = At(index);
                if (most <= 0 || batch.Room == 0)
                    return TopicLogCollect.More;
                if (skipsSuperseded && entry.IsSuperseded)
                {
                    var last = index;
                    while (last + 1 < _count && At(last + 1).IsSuperseded)
                        last++;
                    if (!TrySkip(slot, ref batch, At(last).Position))
                        return TopicLogCollect.Gap;
                    index = last;
                    most--;
                    continue;
                }

                slot.Position = entry.Position;
                if (entry.ExcludedConnection is not null && entry.ExcludedConnection == slot.Subscription.ConnectionId)
                    continue;
                batch.Add(new TopicItem(entry));
                most--;
            }

            slot.HasCaughtUp = true;
            Link(slot);
            return TopicLogCollect.CaughtUp;
        }
    }

    /// <summary>Links a slot that waits for the next append, unless there was one since the log's position was looked at.</summary>
    internal bool TryLink(TopicSlot slot, TopicPosition seen)
    {
        lock (_lock)
        {
            if (_last != seen)
                return false;
            Link(slot);
            return true;
        }
    }

    /// <summary>Takes a slot out of the lists; nothing happens where it is in none.</summary>
    internal void Unlink(TopicSlot slot)
    {
        lock (_lock)
        {
            if (slot.IsLinked)
                Remove(slot);
        }
    }

    private TopicPosition BeforeLast() => _last with { Offset = _last.Offset - 1 };

    private static bool TrySkip(TopicSlot slot, ref TopicBatch batch, TopicPosition to)
    {
        if (slot.Subscription.EndsAtGap)
            return false;
        batch.Add(new TopicItem(new TopicGap(slot.Log.Topic, slot.Position, to)));
        slot.Position = to;
        return true;
    }

    private void Link(TopicSlot slot)
    {
        if (slot.IsRemoved)
            return;
        slot.Previous = _waitingLast;
        slot.Next = null;
        if (_waitingLast is null)
            _waitingFirst = slot;
        else
            _waitingLast.Next = slot;
        _waitingLast = slot;
        slot.IsLinked = true;
    }

    private void Remove(TopicSlot slot)
    {
        if (slot.Previous is not null)
            slot.Previous.Next = slot.Next;
        else if (_waitingFirst == slot)
            _waitingFirst = slot.Next;
        else
            _wakingFirst = slot.Next;

        if (slot.Next is not null)
            slot.Next.Previous = slot.Previous;
        else if (_waitingLast == slot)
            _waitingLast = slot.Previous;
        else
            _wakingLast = slot.Previous;

        slot.Previous = slot.Next = null;
        slot.IsLinked = false;
    }

    // Under the lock. True: a worker has to be started.
    private bool TakeWaiting()
    {
        if (_waitingFirst is null)
            return false;
        if (_wakingLast is null)
        {
            _wakingFirst = _waitingFirst;
        }
        else
        {
            _wakingLast.Next = _waitingFirst;
            _waitingFirst.Previous = _wakingLast;
        }

        _wakingLast = _waitingLast;
        _waitingFirst = _waitingLast = null;
        if (_workers > 0)
            return false;
        _workers = 1;
        return true;
    }

    private void StartWaking() => ThreadPool.UnsafeQueueUserWorkItem(_waker ??= new Waker(this), preferLocal: false);

    private void WakeChunk()
    {
        var chunk = default(Chunk);
        var count = 0;
        bool startsAnother;
        lock (_lock)
        {
            while (count < ChunkSize && _wakingFirst is { } slot)
            {
                Remove(slot);
                chunk[count++] = slot;
            }

            startsAnother = _wakingFirst is not null && _workers < MaxWorkers;
            if (startsAnother)
                _workers++;
        }

        if (startsAnother)
            StartWaking();
        for (var i = 0; i < count; i++)
            chunk[i]!.Subscription.Wake();

        lock (_lock)
        {
            if (_wakingFirst is null)
            {
                _workers--;
                return;
            }
        }

        // Behind whatever else has been queued meanwhile: a large topic must not keep the pool to itself.
        StartWaking();
    }

    [InlineArray(ChunkSize)]
    private struct Chunk
    {
        private TopicSlot? _first;
    }

    private sealed class Waker(TopicLog log) : IThreadPoolWorkItem
    {
        public void Execute() => log.WakeChunk();
    }
}
