using System.Buffers;

namespace RealtimeKit.WebSockets;

// Sends that complete when the transport has taken the bytes, for whoever reads the next batch only then. What waits is the sender's own
// object, so that a delivery allocates nothing. There is no high-water mark here: a sender has one batch in flight, and chose its size.
internal sealed partial class CodecWebSocketConnection
{
    private FlushWaiter? _flushWaiters;
    private long _handedOver;   // bytes given to the transport since the beginning
    private long _written;      // bytes of them that it has taken

    /// <summary>Completes when nothing that was accepted up to now is unflushed.</summary>
    /// <param name="waiter">The caller's, used by nothing else until this has completed.</param>
    internal ValueTask WaitUntilFlushedAsync(FlushWaiter waiter)
    {
        using (_outputGate.Enter())
            return AwaitFlush(waiter);
    }

    /// <summary>Sends messages next to each other and completes when they are flushed.</summary>
    internal ValueTask SendAllAsync<TMessages>(TMessages messages, FlushWaiter waiter)
        where TMessages : IPreparedMessages, allows ref struct
    {
        // Compressed outside the gate, where nobody waits for it.
        if (_deflate is not null)
        {
            for (var i = 0; i < messages.Count; i++)
            {
                if (messages[i] is { } message)
                    PreparedForm(message);
            }
        }

        using (_outputGate.Enter())
        {
            if (_sendClosed)
                return ValueTask.FromException(NotOpen());
            for (var i = 0; i < messages.Count; i++)
            {
                if (messages[i] is { } message)
                    Append(message);
            }

            if (!TakeForFlush())
                return AwaitFlush(waiter);
        }

        Flush();
        using (_outputGate.Enter())
            return AwaitFlush(waiter);
    }

    /// <summary>Enqueues a batch, empties it, and completes when it is flushed.</summary>
    internal ValueTask SendBatchAsync(WebSocketBatch batch, FlushWaiter waiter)
    {
        using (_outputGate.Enter())
        {
            if (_sendClosed)
            {
                batch.Dispose();
                return ValueTask.FromException(NotOpen());
            }

            if (batch.Length > 0)
                Append(default, new ReadOnlySequence<byte>(batch.WrittenMemory), _deflate is { TakesOver: true } ? SendForm.Batch : SendForm.Frames);
            batch.Dispose();
            if (!TakeForFlush())
                return AwaitFlush(waiter);
        }

        Flush();
        using (_outputGate.Enter())
            return AwaitFlush(waiter);
    }

    // Under the output gate.
    private void Append(PreparedWebSocketMessage message)
    {
        if (PreparedForm(message) is not { } form)
            Append(message.Type.ToOpcode(), new ReadOnlySequence<byte>(message.Payload), SendForm.Compressible);
        else if (!_masks && form.Payload.Length <= _options.MaxFrameSize)
            form.Frame.Span.CopyTo(_output.Append(form.Frame.Length));
        else
            AppendMessage(message.Type.ToOpcode(), form.Payload.Span, form.Form == SendForm.Compressed);
    }

    // Under the output gate.
    private ValueTask AwaitFlush(FlushWaiter waiter)
    {
        if (_isBroken)
            return ValueTask.FromException(NotOpen());
        var target = _handedOver + _output.Count;
        if (_written == target)
            return default;
        waiter.Next = _flushWaiters;
        _flushWaiters = waiter;
        return waiter.Begin(target);
    }

    // Under the output gate. Takes those out whose bytes are written; all where nothing will be written any more.
    private FlushWaiter? TakeFlushed()
    {
        if (_flushWaiters is null)
            return null;
        FlushWaiter? taken = null;
        FlushWaiter? kept = null;
        while (_flushWaiters is { } waiter)
        {
            _flushWaiters = waiter.Next;
            if (_isBroken || waiter.Target <= _written)
            {
                waiter.Next = taken;
                taken = waiter;
            }
            else
            {
                waiter.Next = kept;
                kept = waiter;
            }
        }

        _flushWaiters = kept;
        return taken;
    }

    // Under no gate.
    private void CompleteFlushed(FlushWaiter? taken, bool onPool)
    {
        while (taken is not null)
        {
            var next = taken.Next;
            taken.Next = null;
            taken.Complete(_isBroken ? NotOpen() : null, onPool);
            taken = next;
        }
    }
}
