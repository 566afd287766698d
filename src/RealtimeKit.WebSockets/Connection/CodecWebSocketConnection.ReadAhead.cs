using System.Buffers;

namespace RealtimeKit.WebSockets;

// Reading from the transport, and life while nobody receives.
internal sealed partial class CodecWebSocketConnection
{
    // A peer that sends faster than it is discarded must keep neither this thread nor the gate for itself.
    private const int MaxReadsInARow = 16;

    private readonly Action _onRead;
    private Memory<byte> _readMemory;
    private bool _readPending;
    private int _readUnregistered;
    private bool _dataIsReady;
    private bool _isEndOfStream;
    private bool _isReadBroken;
    private bool _isDetached;
    private bool _isFinished;
    private long _lastReceived;

    private bool _isDiscarding;
    private bool _hasDiscarded;
    private bool _needsReadAhead;
    private long _lingerSkip;

    public override DateTimeOffset LastReceived => _clock.GetUtcNow() - _clock.GetElapsedTime(Volatile.Read(ref _lastReceived));

    // Under the input gate. True: bytes were added or the end was reached. False: the read is pending.
    private bool TryFill(bool isScanning)
    {
        while (!_readPending && !_isDetached)
        {
            if (_isEndOfStream)
                return true;
            if (!MayRead(isScanning))
                return _inputEnded;
            _readMemory = default;
            if (_transport.ReadsIntoBuffer && (_dataIsReady || _input.HoldsUnread))
                _readMemory = PrepareRead(isScanning);
            else if (_transport.ReadsIntoBuffer)
                _input.Trim();

            if (!BeginTransportRead())
            {
                if (!_transport.ReadsIntoBuffer)
                    _input.Trim();
                _readPending = true;
                _readUnregistered = 1;
                return false;
            }

            if (_isEndOfStream || EndRead(isScanning))
                return true;
        }

        // A read that began while a message was lent out is adopted. Its connection must not wait with that message's buffer.
        if (_readPending && _readMemory.IsEmpty)
            _input.Trim();
        return false;
    }

    // A transport is foreign code, called on its own callbacks: whatever it throws ends the connection and not the process.
    private bool BeginTransportRead()
    {
        try
        {
            return _transport.BeginRead(_readMemory);
        }
        catch (Exception)
        {
            _isReadBroken = true;
            OnEndOfStream();
            return true;
        }
    }

    private int EndTransportRead(Span<byte> destination, int masked, uint maskingKey)
    {
        try
        {
            return _transport.EndRead(destination, masked, maskingKey);
        }
        catch (Exception)
        {
            _isReadBroken = true;
            return 0;
        }
    }

    // Under the input gate. False: nothing was read, begin again.
    private bool EndRead(bool isScanning)
    {
        var memory = _readMemory;
        if (!_transport.ReadsIntoBuffer)
        {
            memory = PrepareRead(isScanning);
        }
        else if (memory.IsEmpty)
        {
            EndTransportRead(default, 0, 0);
            _dataIsReady = true;
            return false;
        }

        // Payload of the frame in progress is unmasked on its way when it lands directly behind its body.
        var direct = !isScanning && _inFrame && _frameIsMasked && _input.IsReadContiguous ? (int)Math.Min(_frameRemaining, memory.Length) : 0;
        var count = EndTransportRead(memory.Span, direct, _frameKey);
        // A read that was filled may have left something behind, but not one that was made to end with its frame: an idle connection
        // must not wait with the buffer of its last large message.
        _dataIsReady = count == memory.Length && !(_inFrame && count == _frameRemaining);
        if (count == WebSocketTransport.Interrupted)
            return false;
        if (count == 0)
        {
            OnEndOfStream();
            return true;
        }

        _lastReceived = _clock.GetTimestamp();
        _rates?.TakeBytes(count, _lastReceived);
        _keepAliveOutstanding = false;   // any byte is life, whatever the clock says
        NoteReceived(count);
        TakeRead(Math.Min(direct, count), count);
        return true;
    }

    private void TakeRead(int direct, int count)
    {
        _input.Commit(direct, count);
        if (direct == 0)
            return;
        _frameKey = WebSocketMask.Rotate(_frameKey, direct);
        _frameRemaining -= direct;
        if (!_hasDiscarded && _messageType == System.Net.WebSockets.WebSocketMessageType.Text && !_utf8.Append(_input.BodyTail(direct)))
            Fail(WebSocketProtocolError.InvalidUtf8, _frameRemaining);
    }

    private Memory<byte> PrepareRead(bool isScanning)
    {
        // What is looked through may reach past the frame in progress; a read into no room at all would be taken for the end.
        if (isScanning)
            return _input.PrepareRead(WebSocketFrameHeader.MaxLength, Math.Max(_options.ReadAheadSize - _input.RawLength, WebSocketFrameHeader.MaxLength));

        // The rest of a large frame is read alone: the next message then begins in an empty buffer and need not be moved. Out of a
        // pipe, which keeps what is not taken, little is copied before the header is known: the rest is unmasked while it is copied.
        var wanted = _inFrame ? _frameRemaining - _input.RawLength : WebSocketFrameHeader.MaxLength;
        var isLarge = _inFrame && _frameLength >= ReceiveBuffer.LargeRead;
        var limit = isLarge ? Math.Min(wanted, _readsParts ? ReceiveBuffer.LargestPart : int.MaxValue) : _transport.ReadsIntoBuffer ? int.MaxValue : PieceSize;
        return _input.PrepareRead(wanted, (int)limit);
    }

    // A pipe's or stream's callback, on whatever thread completed the read.
    private void OnReadCompleted()
    {
        bool completed = false;
        using (_inputGate.Enter())
        {
            _readPending = false;
            var isScanning = _waiting == ReceiveKind.None || _isThrottled;
            if (!EndRead(isScanning) && !_isDetached)
                TryFill(isScanning);

            if (!_readPending && _waiting != ReceiveKind.None && !_isThrottled)
            {
                completed = TryAdvance(_waiting);
                if (completed)
                    _waiting = ReceiveKind.None;
            }
            else if (!_readPending)
            {
                LookAhead();
            }

            if (_isFinished && !_readPending)
                ReleaseInput();
        }

        AfterInput();
        if (completed)
            CompleteReceive();
    }

    /// <summary>
    /// Goes on reading while nobody receives, as far as the bound allows. By itself a new connection waits with this for the wheel: most
    /// are received from at once, and then pongs shall not overtake answers.
    /// </summary>
    public void ReadAhead()
    {
        using (_inputGate.Enter())
            LookAhead();
        AfterInput();
    }

    // Under the input gate.
    private void LookAhead()
    {
        _needsReadAhead = false;
        for (var reads = 0; (_waiting == ReceiveKind.None || _isThrottled) && !_readPending && !_isDetached; reads++)
        {
            var wantsMore = _inputEnded ? Linger() : _isDiscarding ? Discard() : ScanAhead();
            if (wantsMore && reads == MaxReadsInARow)
            {
                ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.ReadAhead(), this, preferLocal: false);
                break;
            }

            if (!wantsMore || !TryFill(isScanning: true))
                break;
        }

        if (_isDetached && !_readPending)
            _readIdle.Set();
    }

    // After this side's Close: only the peer's Close is of interest (RFC 6455 §1.4).
    private bool Discard() => ParseToDiscard() == Parsed.NeedMore || Linger();

    private Parsed ParseToDiscard()
    {
        while (true)
        {
            _hasDiscarded |= _inMessage;
            var parsed = Parse(ReceiveKind.None);
            _hasDiscarded |= parsed == Parsed.Message || _inMessage;

            // The last part of a message is its receiver's, who may give some of it back for the next read.
            if (!_isStreamedToEnd)
                _input.DropBody();
            if (parsed is Parsed.NeedMore or Parsed.Ended)
                return parsed;
        }
    }

    // After a violation the peer's last bytes are read until its Close or its end, so that no reset destroys ours on the way. After
    // a finished closing handshake a client waits for the server to close the transport first (RFC 6455 §7.1.1).
    private bool Linger()
    {
        while (_failure != WebSocketProtocolError.None && !_closeReceived)
        {
            var skip = (int)Math.Min(_lingerSkip, _input.RawLength);
            _input.SkipRaw(skip);
            _lingerSkip -= skip;
            if (_lingerSkip > 0)
                break;
            var status = WebSocketFrameHeader.TryRead(_input.Raw, out var header, out var length);
            if (status == OperationStatus.NeedMoreData)
                break;
            _lingerSkip = status == OperationStatus.InvalidData ? long.MaxValue : FrameLength(header, length);
            _closeReceived = status == OperationStatus.Done && header.Opcode == WebSocketOpcode.Close;
        }

        if (_isEndOfStream || _closeReceived)
            _peerFinished.Set();
        if (_isEndOfStream)
            _endOfStream.Set();
        if (_closeReceived)
            _input.SkipRaw(_input.RawLength);
        if (!_isStreamedToEnd)
            _input.DropBody();
        return !_isEndOfStream && (!_closeReceived || WaitsForServer);
    }

    private void OnEndOfStream()
    {
        _isEndOfStream = true;
        if (_inputEnded)
            _endOfStream.Set();
    }

    // Under the input gate: no message will follow.
    private void EndInput()
    {
        _inputEnded = true;
        _inMessage = _inFrame = false;
        if (_ending is null && _remoteClose is null)
        {
            if (_closeSent)
                End(_localStatus, _localReason, WebSocketCloseInitiator.Local, isClean: false);
            else
                End(null, null, WebSocketCloseInitiator.Network, isClean: false);
        }

        _peerFinished.Set();
        if (_isEndOfStream)
            _endOfStream.Set();
        else if (WaitsForServer)
            _needsReadAhead = true;
    }

    // What must not happen under the lock.
    private void AfterInput()
    {
        if (Volatile.Read(ref _readUnregistered) != 0 && Interlocked.Exchange(ref _readUnregistered, 0) != 0)
            _transport.OnReadCompleted(_onRead);
        if (Volatile.Read(ref _flushRequested) != 0)
            StartFlush();
        if (_measured is { HasReceived: true } measured)
            TellReceived(measured);
        if (_isReadBroken && !_isBroken)
            AbortOutput();
        if (_input.Retained - _accountedInput is >= AccountingStep or <= -AccountingStep)
            Account();
        if (_needsReadAhead && (_waiting == ReceiveKind.None || _isThrottled) && !_readPending)
            ReadAhead();
    }
}
