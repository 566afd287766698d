using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// RFC 6455 §7: every way in which a connection ends.
internal sealed partial class CodecWebSocketConnection
{
    // How long a peer that broke a rule is given to read why, and a server to close the transport after a finished handshake.
    private static readonly TimeSpan LingerTimeout = TimeSpan.FromMilliseconds(900);

    private Ending? _ending;
    private volatile bool _closeSent;
    private bool _closeReceived;
    private WebSocketCloseStatus _localStatus;
    private string? _localReason;
    private CancellationTokenSource? _closed;
    private Signal _peerFinished;
    private Signal _endOfStream;
    private Signal _readIdle;
    private Task? _disposal;
    private volatile bool _isReleased;

    public override WebSocketCloseResult? CloseResult => Volatile.Read(ref _ending)?.Result;

    public override CancellationToken Closed
    {
        get
        {
            var closed = Volatile.Read(ref _closed);
            if (closed is null)
            {
                var created = new CancellationTokenSource();
                closed = Interlocked.CompareExchange(ref _closed, created, null) ?? created;
                if (Volatile.Read(ref _ending) is not null)
                    closed.CancelAsync();
            }

            return closed.Token;
        }
    }

    public override async ValueTask<WebSocketCloseResult> CloseAsync(WebSocketCloseStatus status, string? reason = null, CancellationToken cancellationToken = default)
    {
        ThrowIfNotClosePayload(status, reason);
        if (_ending is { } ended)
            return ended.Result;

        SendClose(status, reason);
        using (_inputGate.Enter())
            _isDiscarding = true;
        ReadAhead();
        try
        {
            await _peerFinished.WaitAsync().WaitAsync(_options.CloseTimeout, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            End(_localStatus, _localReason, WebSocketCloseInitiator.Local, isClean: false);
            AbortTransport();
        }

        return _ending!.Result;
    }

    public override void Abort() => Abort(WebSocketCloseInitiator.Local);

    private void Abort(WebSocketCloseInitiator initiator)
    {
        End(null, null, initiator, isClean: false, isAborted: true);
        AbortTransport();
    }

    private void AbortTransport()
    {
        AbortOutput();
        EndWaiting();
    }

    // A reset, and not just the end of the stream, ends both directions: who waits to send must not wait for the write deadline.
    // What was received before stays.
    private void AbortOutput()
    {
        CloseOutput(isBroken: true);
        try
        {
            if (!_isReleased)
                _transport.Abort();
        }
        catch (Exception)
        {
            // It has ended by itself.
        }
    }

    // Nothing more is received, and whoever waits for it is told.
    private void EndWaiting()
    {
        var completed = false;
        using (_inputGate.Enter())
        {
            if (!_inputEnded)
            {
                _inputEnded = true;
                _inMessage = _inFrame = false;
            }

            _isEndOfStream = true;
            _peerFinished.Set();
            _endOfStream.Set();
            if (_waiting != ReceiveKind.None)
            {
                completed = TryAdvance(_waiting);
                _waiting = ReceiveKind.None;
            }
        }

        if (completed)
            CompleteReceiveOnPool();
    }

    public override ValueTask DisposeAsync()
    {
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var earlier = Interlocked.CompareExchange(ref _disposal, finished.Task, null);
        return new ValueTask(earlier ?? FinishAsync(finished));
    }

    private async Task FinishAsync(TaskCompletionSource finished)
    {
        try
        {
            if (_ending is null)
                await CloseAsync(WebSocketCloseStatus.NormalClosure).ConfigureAwait(false);

            CloseOutput(isBroken: false);
            await FlushRestAsync().ConfigureAwait(false);
            await WaitForPeerAsync().ConfigureAwait(false);
            CloseOutput(isBroken: true);
            await DetachReadAsync().ConfigureAwait(false);
            _isReleased = true;   // from here on the transport is its owner's again
            await CloseTransportAsync().ConfigureAwait(false);
        }
        finally
        {
            _wheel.Remove(_timer);
            EndWaiting();
            using (_inputGate.Enter())
            {
                _isFinished = true;
                if (!_readPending)
                    ReleaseInput();
            }

            CloseAccount();
            finished.SetResult();
        }
    }

    // Under the input gate, once: a read that the transport has not given up yet may still write into the buffer, and does this when it ends.
    private void ReleaseInput()
    {
        _version++;
        _isStreaming = _isStreamedToEnd = false;
        _input.Clear();
        _deflate?.Dispose();
    }

    private async Task CloseTransportAsync()
    {
        try
        {
            await _transport.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The transport failed while it was being closed: it is closed.
        }
    }

    private async Task FlushRestAsync()
    {
        StartFlush();   // who accepted the last frames may not have come to it yet
        Task idle;
        using (_outputGate.Enter())
        {
            if (!_isFlushing)
                return;
            idle = (_outputIdle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        if (!await CompletesWithin(idle, _options.CloseTimeout).ConfigureAwait(false))
            AbortTransport();
    }

    // A client reads on for the end of the transport (RFC 6455 §7.1.1), unless that is to stay open: only an abort might end the read.
    private bool WaitsForServer => !_isServer && !_options.LeaveOpen;

    // Without this the host would reset the connection, and the reset would destroy our Close frame before the peer has read it.
    private async Task WaitForPeerAsync()
    {
        if (_isEndOfStream || _isBroken || !_closeSent || (!WaitsForServer && _failure == WebSocketProtocolError.None))
            return;
        ReadAhead();
        await CompletesWithin(!WaitsForServer ? _peerFinished.WaitAsync() : _endOfStream.WaitAsync(), LingerTimeout).ConfigureAwait(false);
    }

    // The host needs its transport back with no read pending.
    private async Task DetachReadAsync()
    {
        using (_inputGate.Enter())
        {
            _isDetached = true;
            if (!_readPending || _transport.IsReadEndedByOwner)
                return;
        }

        if (!_transport.TryInterruptRead())
            _transport.Abort();
        await CompletesWithin(_readIdle.WaitAsync(), LingerTimeout).ConfigureAwait(false);
    }

    private async Task<bool> CompletesWithin(Task task, TimeSpan timeout)
    {
        try
        {
            await task.WaitAsync(timeout, _clock).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    // False: a Close frame has been sent before.
    private bool TryEnqueueClose(WebSocketCloseStatus status, string? reason)
    {
        using (_outputGate.Enter())
        {
            if (_closeSent || _sendClosed)
                return false;
            _closeSent = true;
            _localStatus = status;
            _localReason = reason;
            Span<byte> payload = stackalloc byte[WebSocketClosePayload.MaxLength];
            var length = status == WebSocketCloseStatus.Empty ? 0 : WebSocketClosePayload.Write(payload, status, reason);
            AppendFrame(NewHeader(WebSocketOpcode.Close, length, isFinal: true), payload[..length]);
            _flushRequested = 1;
            _sendClosed = true;   // here and now: nothing may follow a Close frame (RFC 6455 §5.5.1)
        }

        CloseOutput(isBroken: false);
        return true;
    }

    // The first ending counts.
    private void End(WebSocketCloseStatus? status, string? reason, WebSocketCloseInitiator initiator, bool isClean, bool isAborted = false)
    {
        var ending = new Ending(new WebSocketCloseResult(status, reason, initiator, isClean), isAborted);
        if (Interlocked.CompareExchange(ref _ending, ending, null) is not null)
            return;
        Volatile.Read(ref _closed)?.CancelAsync();
        FailPings();
        TellEnd();
    }

    private static void ThrowIfNotClosePayload(WebSocketCloseStatus status, string? reason)
    {
        if (status != WebSocketCloseStatus.Empty)
            WebSocketClosePayload.Write(stackalloc byte[WebSocketClosePayload.MaxLength], status, reason);
        else if (!string.IsNullOrEmpty(reason))
            throw new ArgumentException("A Close frame without a status carries no reason (RFC 6455 §5.5.1).", nameof(reason));
    }

    private sealed record Ending(WebSocketCloseResult Result, bool IsAborted);
}
