namespace RealtimeKit.WebSockets;

// The deadlines, visited by the wheel: as often as something is due, not at every tick.
internal sealed partial class CodecWebSocketConnection
{
    private static readonly TimeSpan VisitWhenBusy = TimeSpan.FromSeconds(1);

    // How long a Close waits for the answer to the message before it. A handler that only sends may hold its last message for ever.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    // How long what has arrived may take to be read once nothing can be sent any more; less than what the wheel is asked for then.
    private static readonly TimeSpan BrokenTimeout = TimeSpan.FromMilliseconds(500);

    private readonly TimerWheel _wheel;
    private readonly Timer _timer;
    private long _keepAlivePinged;
    private bool _keepAliveOutstanding;
    private long _keepAliveEnd;   // how many bytes will have been written when the ping is
    private long _closeAheadSince;
    private long _notReadingUntil;

    private sealed class Timer(CodecWebSocketConnection connection) : TimerWheelEntry
    {
        public override TimeSpan OnDue() => connection.OnTimer();
    }

    private void StartMessageClock()
    {
        _messageStarted = _clock.GetTimestamp();
        _wheel.EnsureWithin(_timer, ticks: 8);
    }

    private TimeSpan OnTimer()
    {
        if (_ending is { IsAborted: true })
            return Timeout.InfiniteTimeSpan;
        // A clock may run what is due on the thread that asks it for the time (FakeTimeProvider does), in the middle of a read.
        if (_inputGate.IsTakenHere)
            return TimerWheel.Tick;
        var now = _clock.GetTimestamp();
        ForceUncork();
        TellQueue();
        if (_isBroken && _clock.GetElapsedTime(_flushStarted, now) >= BrokenTimeout)
            _peerFinished.Set();
        if (IsWriteOverdue(now))
        {
            Abort(WebSocketCloseInitiator.Network);
            return Timeout.InfiniteTimeSpan;
        }

        if (_inputGate.IsTakenByAnother)
            return TimerWheel.Tick;   // somebody is reading: the wheel waits for nobody

        var isDead = false;
        var completed = false;
        TimeSpan next;
        using (_inputGate.Enter())
        {
            if (_closeAhead && _scan.IsValid && !_isThrottled && _options.CloseTimeout != Timeout.InfiniteTimeSpan
                && _clock.GetElapsedTime(_closeAheadSince, now) >= _options.CloseTimeout)
            {
                _isDiscarding = true;   // since the last receive nobody came for the messages before the peer's Close
            }

            _scan.IsAnswerOverdue = _scan.IsStopped && _clock.GetElapsedTime(_scan.StoppedAt, now) >= AnswerTimeout;
            LookAhead();
            CheckFirstMessage(now, out var left);
            next = _inputEnded ? VisitWhenBusy : CheckPeer(now, out isDead);
            if (CheckPings(now) && VisitWhenBusy < next)
                next = VisitWhenBusy;
            if (left < next)
                next = left;
            if (_inputEnded && _waiting != ReceiveKind.None)
            {
                completed = TryAdvance(_waiting);
                _waiting = ReceiveKind.None;
            }
        }

        AfterInput();
        _transport.OnReadOverdue(_onRead);
        if (completed)
            CompleteReceiveOnPool();
        if (!isDead)
            return _isBroken && next > VisitWhenBusy ? VisitWhenBusy : next;
        Abort(WebSocketCloseInitiator.Network);
        return Timeout.InfiniteTimeSpan;
    }

    private bool IsWriteOverdue(long now)
    {
        using (_outputGate.Enter())
        {
            return _isFlushing && _options.WriteTimeout != Timeout.InfiniteTimeSpan && _flushStarted != 0
                && _clock.GetElapsedTime(Math.Max(_flushStarted, _wheel.StalledUntil), now) >= _options.WriteTimeout;
        }
    }

    // Under the input gate.
    private TimeSpan CheckPeer(long now, out bool isDead)
    {
        isDead = false;
        if (_wheel.StalledUntil is var stalled && stalled > _notReadingUntil)
        {
            // This process stood still, and what the peer has sent meanwhile may lie in the kernel.
            _notReadingUntil = stalled;
            _keepAliveOutstanding = false;
            _messageStarted = Math.Max(_messageStarted, stalled);
        }

        if (!_readPending)
        {
            // This side does not read, so the peer's silence and its unfinished message are not its fault.
            _notReadingUntil = now;
            _keepAliveOutstanding = false;
            _messageStarted = now;
            return VisitWhenBusy;
        }

        if (_waiting == ReceiveKind.None)
            _messageStarted = now;   // the rest may have arrived: it is only looked through
        else if (_inMessage && IsMessageOverdue(now))
        {
            Fail(WebSocketProtocolError.MessageTimeout, _inFrame ? _frameRemaining : 0);
            return VisitWhenBusy;
        }

        var interval = _options.KeepAliveInterval;
        if (interval == Timeout.InfiniteTimeSpan)
            return _inMessage || _isFlushing ? VisitWhenBusy : TimeSpan.FromHours(1);

        var heard = Math.Max(_lastReceived, _notReadingUntil);
        if (_keepAliveOutstanding)
        {
            if (IsKeepAliveUnsent())
                _keepAlivePinged = now;   // nobody answers what has not left: until then the write deadline watches
            var left = _options.KeepAliveTimeout == Timeout.InfiniteTimeSpan
                ? VisitWhenBusy
                : _options.KeepAliveTimeout - _clock.GetElapsedTime(_keepAlivePinged, now);
            isDead = left <= TimeSpan.Zero;
            return left < VisitWhenBusy ? left : VisitWhenBusy;
        }

        var due = interval - _clock.GetElapsedTime(heard, now);
        if (due <= TimeSpan.Zero)
        {
            _keepAliveOutstanding = TrySendKeepAlive();
            _keepAlivePinged = now;
            due = VisitWhenBusy;
        }

        return _inMessage || _isFlushing ? VisitWhenBusy : due;
    }

    // A streamed message holds no memory while it comes: only its pauses count.
    private bool IsMessageOverdue(long now)
    {
        var since = _waiting == ReceiveKind.Part ? Math.Max(_messageStarted, _lastReceived) : _messageStarted;
        return _options.MessageTimeout != Timeout.InfiniteTimeSpan && _clock.GetElapsedTime(since, now) >= _options.MessageTimeout;
    }

    private bool IsKeepAliveUnsent()
    {
        using (_outputGate.Enter())
            return !_isBroken && _written < _keepAliveEnd;
    }

    // Never waits: while the send buffer is full, the write deadline is what watches the peer.
    private bool TrySendKeepAlive()
    {
        Span<byte> payload = stackalloc byte[sizeof(long)];
        var id = Interlocked.Increment(ref _lastPingId);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(payload, id);
        using (_outputGate.Enter())
        {
            if (_sendClosed || !HasRoom(payload.Length))
                return false;
            AppendFrame(NewHeader(WebSocketOpcode.Ping, payload.Length, isFinal: true), payload);
            _flushRequested = 1;
            _keepAliveEnd = _handedOver + _output.Count;
        }

        NoteKeepAlive(id);
        return true;
    }
}
