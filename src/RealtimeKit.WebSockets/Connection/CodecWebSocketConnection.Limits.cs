using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// How much a peer may do: what it sends per second, and the memory that it holds. A connection without such limits pays a comparison with
// null for each message and each read.
internal sealed partial class CodecWebSocketConnection : IMemoryHolder
{
    // Buffers of this size come and go with every message: they are not told, so that connections share no counter that all write to.
    private const int AccountingStep = 8 * 1024;

    // IANA's registry of close codes.
    private const WebSocketCloseStatus TryAgainLater = (WebSocketCloseStatus)1013;

    private static readonly TimeSpan ShedTimeout = TimeSpan.FromSeconds(1);

    private readonly IncomingRates? _rates;
    private readonly LinkedListNode<IMemoryHolder>? _budgeted;
    private long _accounted;        // of what is held, what the metrics and the budget know of
    private long _accountedInput;
    private long _waitingBytes;     // of sends that wait for room
    private bool _isThrottled;
    private bool _hasMessage;
    private volatile bool _isAccountClosed;
    private volatile bool _isShed;
    private long _shedBytes;

    /// <summary>How much it held when it was ended because of a <see cref="RealtimeMemoryBudget"/>, in bytes; 0 where it was not.</summary>
    public long ShedBytes => Volatile.Read(ref _shedBytes);

    // Fields of both gates, read without them: each is one number or reference, and all that is asked for is an estimate.
    public override long RetainedBytes =>
        _input.Retained + _output.Capacity + (_flushing.Array?.Length ?? 0) + Volatile.Read(ref _waitingBytes) + (_deflate?.Retained ?? 0);

    bool IMemoryHolder.IsEnding => _isShed || Volatile.Read(ref _ending) is not null;

    void IMemoryHolder.Shed()
    {
        Volatile.Write(ref _shedBytes, RetainedBytes);
        _isShed = true;
        _metrics.Shed(_isServer);
        _ = ShedAsync();
    }

    private async Task ShedAsync()
    {
        try
        {
            // What a peer holds that does not read is what it is sent: a Close frame would wait behind it.
            if (_isFlushing)
            {
                Abort();
                return;
            }

            using var deadline = new CancellationTokenSource(ShedTimeout, _clock);
            await CloseAsync(TryAgainLater, "The server is short of memory. Try again later.", deadline.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            Abort();
        }
    }

    // Under the input gate. False: nothing may be read now, or the connection has just failed.
    private bool MayRead(bool isScanning)
    {
        if (_inputEnded)
            return true;
        if (!isScanning && _input.Retained > WebSocketConnectionOptions.LeastRetainedBytes && _input.Retained > _options.RetainedLimit)
        {
            Fail(WebSocketProtocolError.RetainedMemoryExceeded, _inFrame ? _frameRemaining : 0);
            return false;
        }

        if (_rates is null || _rates.TryRead())
            return true;

        // A violation is the receiver's to see, after what came before it.
        if (isScanning || _rates.Throttles)
            Throttle();
        else
            Fail(_rates.Refusal, _inFrame ? _frameRemaining : 0);
        return false;
    }

    // Under the input gate. A message has to wait. Looking ahead goes on, so that pings are answered.
    private Parsed ThrottleMessage()
    {
        _needsReadAhead = true;
        Throttle();
        return Parsed.Throttled;
    }

    private void Throttle()
    {
        _isThrottled = true;
        if (_rates!.TryBeginWait(static connection => ((CodecWebSocketConnection)connection!).OnWaitEnded(), this) && _metrics.MeasuresThrottling)
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection._metrics.Throttle(connection._isServer), this, preferLocal: false);
    }

    // A timer's callback, which may run on a thread that is under the gate (FakeTimeProvider's do).
    private void OnWaitEnded() => ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Resume(), this, preferLocal: false);

    private void Resume()
    {
        var completed = false;
        using (_inputGate.Enter())
        {
            _rates!.EndWait();
            if (!_isThrottled || _isDetached)
                return;
            _isThrottled = false;
            if (_waiting != ReceiveKind.None)
            {
                completed = TryAdvance(_waiting);
                if (completed)
                    _waiting = ReceiveKind.None;
            }
            else
            {
                LookAhead();
            }
        }

        AfterInput();
        if (completed)
            CompleteReceive();
    }

    // Under the input gate.
    private void CheckFirstMessage(long now, out TimeSpan left)
    {
        left = TimeSpan.MaxValue;
        if (_hasMessage || _inputEnded || _options.FirstMessageTimeout == Timeout.InfiniteTimeSpan || _scan is { IsValid: true, Messages: > 0 })
            return;
        if (!_readPending)
            return;   // this side does not read: CheckPeer notes it
        left = _options.FirstMessageTimeout - _clock.GetElapsedTime(Math.Max(_opened, _notReadingUntil), now);
        if (left <= TimeSpan.Zero)
            Fail(WebSocketProtocolError.FirstMessageTimeout, _inFrame ? _frameRemaining : 0);
    }

    // Under any gate or none: tells the metrics and the budget what is held now.
    private void Account()
    {
        var retained = RetainedBytes;
        _accountedInput = _input.Retained;
        if (Math.Abs(retained - Volatile.Read(ref _accounted)) < AccountingStep)
            return;
        Settle(retained);
        if (_isAccountClosed)
            Settle(0);
    }

    private void CloseAccount()
    {
        _isAccountClosed = true;
        Settle(0);
        _rates?.Dispose();
        if (_budgeted is not null)
            _options.MemoryBudget!.Remove(_budgeted);
    }

    // Whoever comes later replaces what the one before has told, so that the sum is right whatever their order.
    private void Settle(long retained)
    {
        var change = retained - Interlocked.Exchange(ref _accounted, retained);
        if (change == 0)
            return;
        _metrics.Retain(change);
        _options.MemoryBudget?.Adjust(change);
    }
}
