using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Frames enter the send buffer under the output gate, in order. Whoever finds no flush running hands the buffer to the transport;
// what is accepted meanwhile leaves together with the next flush. The transport is never touched while its write is pending.
internal sealed partial class CodecWebSocketConnection
{
    private Gate _outputGate;
    private Action? _onWrite;   // made with the first write that pends: most connections never see one
    private SendBuffer _output;
    private ArraySegment<byte> _flushing;
    private bool _isFlushing;
    private int _flushed;
    private int _writing;
    private readonly int _maxWrite;   // a large message leaves in several writes, each with a deadline of its own
    private long _flushStarted;   // or when it failed
    private int _flushRequested;
    private bool _sendClosed;
    private bool _isBroken;
    private LinkedList<SendWaiter>? _waiters;
    private TaskCompletionSource? _outputIdle;   // only while somebody waits for the last flush

    // The latest ping that came while the buffer was full; RFC 6455 §5.5.3 allows to answer only that one.
    private byte[]? _latePong;
    private int _latePongLength = -1;

    public override ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default)
    {
        var opcode = type.ToOpcode();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return Compresses(payload.Length)
            ? SendCompressedAsync(opcode, new ReadOnlySequence<byte>(payload), cancellationToken)
            : SendMessageAsync(opcode, payload, cancellationToken);
    }

    private ValueTask SendMessageAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        using (_outputGate.Enter())
        {
            if (_sendClosed)
                return ValueTask.FromException(NotOpen());
            if (!HasRoom(payload.Length))
                return WaitForRoom(new SendWaiter(opcode, new ReadOnlySequence<byte>(payload), SendForm.Message), cancellationToken);
            AppendMessage(opcode, payload.Span);
            if (!TakeForFlush())
                return default;
        }

        Flush();
        return default;
    }

    public override ValueTask SendAsync(ReadOnlySequence<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default)
    {
        var opcode = type.ToOpcode();
        return payload.IsSingleSegment ? SendAsync(payload.First, type, cancellationToken)
            : Compresses(payload.Length) ? SendCompressedAsync(opcode, payload, cancellationToken)
            : SendSequenceAsync(opcode, payload, SendForm.Message, cancellationToken);
    }

    public override ValueTask SendAsync(PreparedWebSocketMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        var form = PreparedForm(message);
        if (form is null)
            return SendAsync(message.Payload, message.Type, cancellationToken);

        // A server sends the prepared frame as it is; a client masks a copy; a message over the frame limit is split again.
        return !_masks && form.Payload.Length <= _options.MaxFrameSize
            ? SendSequenceAsync(default, new ReadOnlySequence<byte>(form.Frame), SendForm.Frames, cancellationToken)
            : SendSequenceAsync(message.Type.ToOpcode(), new ReadOnlySequence<byte>(form.Payload), form.Form, cancellationToken);
    }

    private ValueTask SendSequenceAsync(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, SendForm form, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        using (_outputGate.Enter())
        {
            if (_sendClosed)
                return ValueTask.FromException(NotOpen());
            if (!HasRoom(payload.Length))
                return WaitForRoom(new SendWaiter(opcode, payload, form), cancellationToken);
            Append(opcode, payload, form);
            if (!TakeForFlush())
                return default;
        }

        Flush();
        return default;
    }

    // A message larger than the mark is admitted when the buffer is empty; nobody overtakes those who wait.
    private bool HasRoom(long size) =>
        _waiters is not { Count: > 0 }
        && (_output.Count + _flushing.Count == 0 || _output.Count + _flushing.Count + size <= _options.SendBufferSize);

    // Under the output gate.
    private ValueTask WaitForRoom(SendWaiter waiter, CancellationToken cancellationToken)
    {
        var node = (_waiters ??= new LinkedList<SendWaiter>()).AddLast(waiter);
        _waitingBytes += waiter.Payload.Length;
        Account();
        if (cancellationToken.CanBeCanceled)
            waiter.Registration = cancellationToken.UnsafeRegister(
                static (state, token) =>
                {
                    var (connection, node) = ((CodecWebSocketConnection, LinkedListNode<SendWaiter>))state!;
                    connection.CancelSend(node, token);
                },
                (this, node));
        return new ValueTask(waiter.Task);
    }

    private void CancelSend(LinkedListNode<SendWaiter> node, CancellationToken cancellationToken)
    {
        using (_outputGate.Enter())
        {
            if (node.List is null || node.List != _waiters)
                return;   // admitted already, so it is sent; or refused already, because the output has closed
            _waiters!.Remove(node);
            _waitingBytes -= node.Value.Payload.Length;
            AdmitWaiters();
        }

        node.Value.TrySetCanceled(cancellationToken);
        StartFlush();
    }

    // Under the output gate.
    private void AdmitWaiters()
    {
        if (_latePongLength >= 0 && _output.Count < _options.SendBufferSize)
        {
            AppendFrame(NewHeader(WebSocketOpcode.Pong, _latePongLength, isFinal: true), _latePong.AsSpan(0, _latePongLength));
            _latePongLength = -1;
            _flushRequested = 1;
        }

        while (_waiters?.First is { } first)
        {
            var size = first.Value.Payload.Length;
            if (_output.Count + _flushing.Count > 0 && _output.Count + _flushing.Count + size > _options.SendBufferSize)
                return;
            _waiters.RemoveFirst();
            _waitingBytes -= size;
            first.Value.Registration.Unregister();
            try
            {
                Append(first.Value.Opcode, first.Value.Payload, first.Value.Form);
            }
            catch (Exception error)
            {
                // Often the transport's callback, which has nobody to tell but the one who waits.
                first.Value.TrySetException(error);
                continue;
            }

            _flushRequested = 1;
            first.Value.TrySetResult();
        }
    }

    // Under the input gate. All pings of a burst are answered in order while the peer reads; once the buffer is full only the latest.
    private void EnqueuePong(ReadOnlySpan<byte> payload)
    {
        using (_outputGate.Enter())
        {
            if (_sendClosed)
                return;
            if (_output.Count + _flushing.Count + payload.Length <= _options.SendBufferSize && _latePongLength < 0)
            {
                AppendFrame(NewHeader(WebSocketOpcode.Pong, payload.Length, isFinal: true), payload);
                _flushRequested = 1;
                return;
            }

            _latePong ??= new byte[125];
            payload.CopyTo(_latePong);
            _latePongLength = payload.Length;
        }
    }

    // Under no gate.
    private void StartFlush()
    {
        using (_outputGate.Enter())
        {
            if (!TakeForFlush())
                return;
        }

        Flush();
    }

    // Under the output gate. True: this thread owns the transport's writing side, with something to write.
    private bool TakeForFlush()
    {
        _flushRequested = 0;
        // A closed output is not corked: what is in it is the last, and somebody may wait for it.
        if (_isFlushing || _isBroken || _output.Count == 0 || (_isCorked && !_sendClosed && _output.Count < CorkSize))
        {
            if (_output.Capacity > AccountingStep)
                Account();
            return false;
        }

        _isFlushing = true;
        _flushStarted = 0;
        _flushing = _output.Detach();
        _handedOver += _flushing.Count;
        return true;
    }

    private void Flush()
    {
        do
        {
            try
            {
                if (_writing == 0 && _metrics.MeasuresSent)
                    TellSent();
                _flushed += _writing;
                _writing = Math.Min(_flushing.Count - _flushed, _maxWrite);
                if (!_transport.BeginWrite(_flushing.AsMemory(_flushed, _writing)))
                {
                    _flushStarted = _clock.GetTimestamp();
                    _wheel.EnsureWithin(_timer, ticks: 4);
                    TellQueue();
                    Account();
                    _transport.OnWriteCompleted(_onWrite ??= OnWriteCompleted);
                    return;
                }

                _transport.EndWrite();
            }
            catch (Exception)
            {
                BreakOutput();
            }
        }
        while (FinishWrite(isSender: true));
        TellQueueEmptied();
    }

    private void OnWriteCompleted()
    {
        try
        {
            _transport.EndWrite();
        }
        catch (Exception)
        {
            BreakOutput();
        }

        if (FinishWrite(isSender: false))
            Flush();
        else
            TellQueueEmptied();
    }

    // True: more is left or was accepted meanwhile, and this thread goes on.
    private bool FinishWrite(bool isSender)
    {
        FlushWaiter? flushed;
        bool goesOn;
        using (_outputGate.Enter())
        {
            if (_flushed + _writing < _flushing.Count && !_isBroken)
            {
                _flushStarted = 0;
                return true;
            }

            _isFlushing = false;
            _flushed = _writing = 0;
            _written += _flushing.Count;
            SendBuffer.Return(_flushing);
            _flushing = default;
            flushed = TakeFlushed();
            if (!_sendClosed)
                AdmitWaiters();
            goesOn = TakeForFlush();
            if (_accounted != 0)
                Account();
            if (!goesOn)
                _outputIdle?.TrySetResult();
        }

        // A thread that only came to send does not do the work of those who waited.
        CompleteFlushed(flushed, onPool: isSender || goesOn);
        return goesOn;
    }

    // The peer is gone: nothing can be sent any more. What it sent before may still be received.
    private void BreakOutput()
    {
        End(null, null, WebSocketCloseInitiator.Network, isClean: false);
        CloseOutput(isBroken: true);
        // Our Close cannot reach the peer. Its own may have arrived, and has a moment to be read; nothing else is waited for.
        _flushStarted = _clock.GetTimestamp();
        _wheel.EnsureWithin(_timer, ticks: 4);
    }

    private void CloseOutput(bool isBroken)
    {
        LinkedList<SendWaiter>? waiters;
        FlushWaiter? flushed = null;
        using (_outputGate.Enter())
        {
            _sendClosed = true;
            _latePongLength = -1;
            waiters = _waiters;
            _waiters = null;
            _waitingBytes = 0;
            if (isBroken)
            {
                _isBroken = true;
                _output.Clear();
                flushed = TakeFlushed();
            }
        }

        CompleteFlushed(flushed, onPool: true);
        foreach (var waiter in waiters ?? [])
        {
            waiter.Registration.Unregister();
            waiter.TrySetException(NotOpen());
        }
    }

    private WebSocketException NotOpen() => _ending is { Result.Status: null }
        ? new WebSocketException(WebSocketError.ConnectionClosedPrematurely, "The WebSocket connection has been lost or aborted.")
        : new WebSocketException(WebSocketError.InvalidState, "The WebSocket connection is closing or closed: nothing may follow a Close frame (RFC 6455 §5.5.1).");
}
