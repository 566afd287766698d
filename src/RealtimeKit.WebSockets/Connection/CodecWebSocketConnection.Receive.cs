using System.Diagnostics;
using System.Net.WebSockets;
using System.Threading.Tasks.Sources;

namespace RealtimeKit.WebSockets;

// The receive in progress: at most one, completed by whoever parses the bytes it waits for.
internal sealed partial class CodecWebSocketConnection :
    IValueTaskSource<WebSocketMessage>, IValueTaskSource<WebSocketReadResult>, IValueTaskSource<bool>
{
    private Gate _inputGate;
    private ReceiveBuffer _input;
    private uint _version;

    private ReceiveKind _waiting;   // what the parser is to complete
    private bool _isReceiving;   // until the receiver has taken the outcome
    private CancellationToken _waitingToken;
    private CancellationTokenRegistration _waitingRegistration;
    private ManualResetValueTaskSourceCore<bool> _receive;

    // What the last completed receive gave.
    private WebSocketMessageType _receivedType;
    private bool _receivedEnd;
    private Exception? _receivedError;

    // A message that ReadAsync streams: begun, and parsed to its end.
    private bool _isStreaming;
    private bool _isStreamedToEnd;
    private bool _readsParts;   // what the last receive was
    private int _partSeen;   // how much of the body was given back unconsumed: alone it completes no read

    private enum ReceiveKind : byte
    {
        None,
        Message,
        Part,
    }

    internal override WebSocketMessage Current => new(this, _version, _receivedType);

    public override ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<WebSocketMessage>(cancellationToken);
        if (!TryReceive(ReceiveKind.Message, cancellationToken))
            return new ValueTask<WebSocketMessage>(this, _receive.Version);
        return _receivedError is null ? new ValueTask<WebSocketMessage>(Current) : ValueTask.FromException<WebSocketMessage>(_receivedError);
    }

    public override ValueTask<WebSocketReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<WebSocketReadResult>(cancellationToken);
        if (!TryReceive(ReceiveKind.Part, cancellationToken))
            return new ValueTask<WebSocketReadResult>(this, _receive.Version);
        return _receivedError is null ? new ValueTask<WebSocketReadResult>(CurrentPart) : ValueTask.FromException<WebSocketReadResult>(_receivedError);
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
        using (_inputGate.Enter())
        {
            if (_waiting == ReceiveKind.None && !_input.IsLent && _ending is not null)
                return;   // the end was lent out, which has no bytes
            if (!_isStreaming || !_input.IsLent || !_input.IsInLent(consumed))
                throw new InvalidOperationException("AdvanceTo takes a position in the payload of the last ReadAsync, once.");
            _version++;
            _input.TakeBack(consumed.GetInteger());
            _partSeen = _input.BodyLength;
            if (_isStreamedToEnd && _input.BodyLength == 0)
                _isStreaming = _isStreamedToEnd = false;
        }
    }

    internal override ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<bool>(cancellationToken);
        if (!TryReceive(ReceiveKind.Message, cancellationToken))
            return new ValueTask<bool>(this, _receive.Version);
        return _receivedError is null
            ? new ValueTask<bool>(_receivedType != WebSocketMessageType.Close)
            : ValueTask.FromException<bool>(_receivedError);
    }

    private WebSocketReadResult CurrentPart => new(this, _version, _receivedType, _receivedEnd);

    // True: the receive has completed, its outcome is in _received*. False: it is pending on _receive.
    private bool TryReceive(ReceiveKind kind, CancellationToken cancellationToken)
    {
        bool completed;
        using (_inputGate.Enter())
        {
            if (_isReceiving)
                throw new InvalidOperationException("A receive on this connection is pending, or has not been awaited yet: one at a time.");
            if (_isStreaming && (!_inputEnded || _isStreamedToEnd) && (kind == ReceiveKind.Message || _input.IsLent))
                ThrowStreaming(kind);

            if (_input.IsLent)
            {
                _version++;
                _input.TakeBack();
            }

            completed = TryAdvance(kind);
            if (!completed)
            {
                _waiting = kind;
                _waitingToken = cancellationToken;
                _isReceiving = true;
                _receive.Reset();

                // Under the gate: whoever completes the receive finds the registration, and none is left at a token that lives on.
                if (cancellationToken.CanBeCanceled)
                    _waitingRegistration = cancellationToken.UnsafeRegister(static (state, token) => ((CodecWebSocketConnection)state!).CancelReceive(token), this);
            }
            else if (!_readPending)
            {
                // Should the receiver be busy now, the wheel goes on reading for it.
                _wheel.EnsureWithin(_timer, ticks: 4);
            }
        }

        AfterInput();
        return completed;
    }

    private static void ThrowStreaming(ReceiveKind kind) => throw new InvalidOperationException(kind == ReceiveKind.Message
        ? "ReadAsync is in the middle of a message: read it to its end before the next whole-message receive."
        : "The last part has not been given back: call AdvanceTo before the next ReadAsync.");

    // Under the input gate. True: there is an outcome in _received*. False: a read is pending.
    private bool TryAdvance(ReceiveKind kind)
    {
        _isThrottled = false;
        _readsParts = kind == ReceiveKind.Part;
        while (true)
        {
            // Where something was discarded nothing behind it is delivered, only the end: no message has a hole, none is missing.
            switch (_hasDiscarded && !_isStreamedToEnd ? ParseToDiscard() : Parse(kind))
            {
                case Parsed.Message:
                    Deliver(isPart: kind == ReceiveKind.Part, isEnd: true);
                    return true;

                case Parsed.Part:
                    Deliver(isPart: true, isEnd: false);
                    return true;

                case Parsed.Ended:
                    _receivedType = WebSocketMessageType.Close;
                    _receivedEnd = true;
                    _receivedError = _failure == WebSocketProtocolError.None ? null : new WebSocketProtocolException(_failure);
                    return true;

                case Parsed.NeedMore when !TryFill(isScanning: false):
                case Parsed.Throttled:
                    return false;
            }
        }
    }

    private void Deliver(bool isPart, bool isEnd)
    {
        if (!_isStreaming)
            _receivedType = _messageType;   // of the rest of a message it is what it was: the next one may have begun
        _receivedEnd = isEnd;
        _receivedError = null;
        _isStreaming = isPart;
        _isStreamedToEnd = isPart && isEnd;
        _version++;
        _input.Lend(isPart);
    }

    // The wait ends, nothing else: a read that is under way stays, and the next receive adopts it.
    private void CancelReceive(CancellationToken cancellationToken)
    {
        using (_inputGate.Enter())
        {
            if (_waiting == ReceiveKind.None || _waitingToken != cancellationToken)
                return;
            _waiting = ReceiveKind.None;
            _needsReadAhead = true;
        }

        _receive.SetException(new OperationCanceledException(cancellationToken));

        // A token that is cancelled while the receive begins is heard of under its gate, and what follows is done behind it.
        if (!_inputGate.IsTakenHere)
            AfterInput();
    }

    private void CompleteReceive()
    {
        // Runs the receiver's continuation here and now, until it awaits something else.
        _wheel.EnsureWithin(_timer, ticks: 4);
        var isCorking = TryCork(out var started);
        _receive.SetResult(true);
        if (isCorking)
            Uncork(started);
        if (_waiting == ReceiveKind.None && !_readPending)
            ReadAhead();
    }

    // The timer's thread serves every connection, and the thread that aborts is not to be blocked: no continuation runs on them.
    private void CompleteReceiveOnPool() =>
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.CompleteReceive(), this, preferLocal: false);

    private void EndReceive(short token)
    {
        // Asked for too early or twice it throws, and the receive that is pending stays what it is.
        if (_receive.GetStatus(token) != ValueTaskSourceStatus.Pending)
        {
            _waitingRegistration.Unregister();
            _waitingRegistration = default;
            _isReceiving = false;
        }

        _receive.GetResult(token);
        if (_receivedError is { } error)
            throw error;
    }

    WebSocketMessage IValueTaskSource<WebSocketMessage>.GetResult(short token)
    {
        EndReceive(token);
        return Current;
    }

    WebSocketReadResult IValueTaskSource<WebSocketReadResult>.GetResult(short token)
    {
        EndReceive(token);
        return CurrentPart;
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        EndReceive(token);
        return _receivedType != WebSocketMessageType.Close;
    }

    ValueTaskSourceStatus IValueTaskSource<WebSocketMessage>.GetStatus(short token) => _receive.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<WebSocketReadResult>.GetStatus(short token) => _receive.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _receive.GetStatus(token);

    void IValueTaskSource<WebSocketMessage>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _receive.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<WebSocketReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _receive.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _receive.OnCompleted(continuation, state, token, flags);
}
