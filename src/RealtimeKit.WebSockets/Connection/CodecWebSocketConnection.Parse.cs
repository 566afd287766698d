using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Bytes to messages, under the input gate. Every rule about a header is in WebSocketFrameHeader.Check.
internal sealed partial class CodecWebSocketConnection
{
    // Unmasking and validating go over the payload in pieces that stay in the first-level cache.
    private const int PieceSize = 16 * 1024;

    private WebSocketProtocolError _failure;
    private bool _inputEnded;

    // The frame in progress.
    private bool _inFrame;
    private bool _frameIsFinal;
    private bool _frameIsMasked;
    private uint _frameKey;
    private long _frameLength;
    private long _frameRemaining;

    // The message in progress, from the header of its first frame to the last byte of its final one (RFC 6455 §5.4).
    private bool _inMessage;
    private WebSocketMessageType _messageType;
    private long _messageLength;
    private int _fragments;
    private long _messageStarted;
    private WebSocketUtf8Validator _utf8;

    private enum Parsed : byte
    {
        /// <summary>All that has arrived is parsed, or only part of a header or a control frame is left.</summary>
        NeedMore,

        /// <summary>The body is a whole message, or its last part.</summary>
        Message,

        /// <summary>The body is a part of a message.</summary>
        Part,

        /// <summary>Nothing more will come.</summary>
        Ended,

        /// <summary>The next message has to wait, untouched, until the limits on what a peer sends allow it.</summary>
        Throttled,
    }

    private Parsed Parse(ReceiveKind kind)
    {
        _scan.IsValid = false;
        if (kind == ReceiveKind.Part && _isStreamedToEnd)
            return Parsed.Message;   // bytes of its end were given back unconsumed
        // A read of parts may have begun the message, under its own limit.
        if (kind == ReceiveKind.Message && _inMessage && (_messageLength > _options.MaxMessageSize || (_isCompressed && _inflatedLength > _options.MaxMessageSize)))
            return Fail(WebSocketProtocolError.MessageTooBig, _inFrame ? _frameRemaining : 0);
        while (!_inputEnded)
        {
            if (!_inFrame)
            {
                var raw = _input.Raw;
                var status = WebSocketFrameHeader.TryRead(raw, out var header, out var headerLength, out var error);
                if (status == OperationStatus.NeedMoreData)
                    return Unfinished(kind);
                if (status == OperationStatus.InvalidData || (error = header.Check(RulesFor(kind))) != WebSocketProtocolError.None)
                    return Fail(error, status == OperationStatus.Done ? FrameLength(header, headerLength) : long.MaxValue);

                if (header.IsControl)
                {
                    var length = headerLength + (int)header.PayloadLength;
                    if (raw.Length < length)
                        return Unfinished(kind);
                    HandleControl(header, _input.RawSpan(headerLength, (int)header.PayloadLength), length);
                    continue;
                }

                // Before anything of the message is looked at, empty and compressed ones included.
                if (_rates is not null && !_inMessage && kind != ReceiveKind.None && !_rates.TryTakeMessage(_lastReceived))
                    return _rates.Throttles ? ThrottleMessage() : Fail(_rates.Refusal, FrameLength(header, headerLength));
                if ((error = BeginFrame(header, headerLength, kind)) != WebSocketProtocolError.None)
                    return Fail(error, header.PayloadLength);
            }

            var payloadError = TakePayload(kind);
            if (payloadError != WebSocketProtocolError.None)
                return Fail(payloadError, _frameRemaining);
            if (_frameRemaining > 0 || (_isCompressed && _hasMoreOutput))
                return Unfinished(kind);

            _inFrame = false;
            if (_frameIsFinal)
            {
                _inMessage = false;
                if (kind != ReceiveKind.None && _messageType == WebSocketMessageType.Text && !_utf8.IsComplete)
                    return Fail(WebSocketProtocolError.InvalidUtf8, 0);
                _hasMessage |= kind != ReceiveKind.None;
                NoteMessage(isInflated: _isCompressed && kind != ReceiveKind.None);
                return Parsed.Message;
            }
        }

        return Parsed.Ended;
    }

    private Parsed Unfinished(ReceiveKind kind)
    {
        if (kind == ReceiveKind.Part && _input.BodyLength > _partSeen)
            return Parsed.Part;
        if (!_isEndOfStream)
            return Parsed.NeedMore;
        EndInput();
        return Parsed.Ended;
    }

    private WebSocketFrameRules RulesFor(ReceiveKind kind) => new()
    {
        Role = _readerRole,
        IsMessageInProgress = _inMessage,
        AllowsRsv1 = _deflate is not null,
        MaximumPayloadLength = Math.Max((kind == ReceiveKind.Message ? _options.MaxMessageSize : _options.MaxStreamedMessageSize) - (_inMessage ? _messageLength : 0), 0),
    };

    private WebSocketProtocolError BeginFrame(in WebSocketFrameHeader header, int headerLength, ReceiveKind kind)
    {
        _input.SkipRaw(headerLength);
        if (!_inMessage)
        {
            _inMessage = true;
            _messageType = header.Opcode.ToMessageType();
            _messageLength = 0;
            _fragments = 0;
            _partSeen = 0;
            _utf8.Reset();
            _isCompressed = header.Rsv1;
            if (kind != ReceiveKind.None && _isCompressed)
                BeginCompressedMessage();
            else if (kind != ReceiveKind.None)
                _input.BeginBody();
            if (!header.IsFinal || header.PayloadLength > _input.RawLength)
                StartMessageClock();
        }

        // Counted before the payload is looked at: an empty fragment costs as much as any other.
        if (++_fragments > _options.MaxFragmentsPerMessage)
            return WebSocketProtocolError.TooManyFragments;

        _inFrame = true;
        _frameIsFinal = header.IsFinal;
        _frameIsMasked = header.IsMasked;
        _frameKey = header.MaskingKey;
        _frameLength = _frameRemaining = header.PayloadLength;
        _messageLength += header.PayloadLength;
        return WebSocketProtocolError.None;
    }

    private WebSocketProtocolError TakePayload(ReceiveKind kind)
    {
        if (kind == ReceiveKind.None)
        {
            // Nobody will see it, and the body may hold what a receiver has given back for its next read.
            _hasMoreOutput = false;
            ConsumePayload((int)Math.Min(_frameRemaining, _input.RawLength));
            return WebSocketProtocolError.None;
        }

        return _isCompressed ? TakeCompressedPayload(kind)
            : TakePlainPayload() ? WebSocketProtocolError.None
            : WebSocketProtocolError.InvalidUtf8;
    }

    // False: the text is not UTF-8.
    private bool TakePlainPayload()
    {
        var count = (int)Math.Min(_frameRemaining, _input.RawLength);
        if (count == 0)
            return true;
        var payload = _input.AppendBody(count);
        _frameRemaining -= count;
        var isText = _messageType == WebSocketMessageType.Text;
        while (payload.Length > PieceSize)
        {
            if (!TakePiece(payload[..PieceSize], isText))
                return false;
            payload = payload[PieceSize..];
        }

        return TakePiece(payload, isText);
    }

    private bool TakePiece(Span<byte> piece, bool isText)
    {
        if (_frameIsMasked)
            _frameKey = WebSocketMask.Apply(piece, _frameKey);
        return !isText || _utf8.Append(piece);
    }

    private void HandleControl(in WebSocketFrameHeader header, Span<byte> payload, int frameLength)
    {
        // Only one Close can come: it costs nothing.
        if (header.Opcode != WebSocketOpcode.Close && !TakeControlToken())
        {
            Fail(WebSocketProtocolError.ControlRateExceeded, frameLength);
            return;
        }

        if (header.IsMasked)
            WebSocketMask.Apply(payload, header.MaskingKey);
        switch (header.Opcode)
        {
            case WebSocketOpcode.Ping:
                EnqueuePong(payload);
                break;
            case WebSocketOpcode.Pong:
                OnPong(payload);
                break;
            default:
                OnClose(payload);
                break;
        }

        if (_failure == WebSocketProtocolError.None)
            _input.SkipRaw(frameLength);
    }

    // RFC 6455 §5.5.1 and §7.1.4: the peer's Close is answered by ours, unless it is the answer to ours. Nothing after it counts.
    private void OnClose(ReadOnlySpan<byte> payload)
    {
        var error = WebSocketClosePayload.Read(payload, out var close);
        if (error != WebSocketProtocolError.None)
        {
            Fail(error, 0);
            return;
        }

        var status = close.Status ?? WebSocketCloseStatus.Empty;
        var reason = close.Reason.IsEmpty ? null : close.GetReason();
        Interlocked.Exchange(ref _remoteClose, new RemoteClose(status, reason));
        _closeReceived = true;
        if (IsAnsweredByBridge)
        {
            // The application answers, when it likes.
        }
        else if (TryEnqueueClose(status, reason: null))
        {
            End(status, reason, WebSocketCloseInitiator.Remote, isClean: true);
        }
        else
        {
            End(_localStatus, _localReason, WebSocketCloseInitiator.Local, isClean: true);
        }

        EndInput();
    }

    // RFC 6455 §5.2: a payload may claim 2^63-1 bytes, to which no header can be added.
    private static long FrameLength(in WebSocketFrameHeader header, int headerLength) =>
        Math.Min(header.PayloadLength, long.MaxValue - headerLength) + headerLength;

    // RFC 6455 §7.1.7: says why in a Close frame, and from then on only looks for the peer's, `skip` bytes from here.
    private Parsed Fail(WebSocketProtocolError error, long skip)
    {
        if (_inputEnded)
            return Parsed.Ended;
        _failure = error;
        var status = error.GetCloseStatus();
        var reason = error.GetDescription();
        TryEnqueueClose(status, reason);
        End(status, reason, WebSocketCloseInitiator.Local, isClean: false);
        _inputEnded = true;
        _inMessage = _inFrame = false;
        _lingerSkip = skip;
        TellFailure();
        _needsReadAhead = true;
        return Parsed.Ended;
    }

    // A token bucket on the clock that was read when the bytes came: cheap enough to see every control frame before anything is done
    // for it. Once it has refused one it refuses all, so that looking ahead and parsing come to the same end.
    private bool TakeControlToken()
    {
        if (_controlTokens < _options.ControlFrameBurst)
            RefillControlTokens();
        _isControlRateExceeded |= _controlTokens == 0 || (_rates is not null && !_rates.TryTakeControl());
        if (_isControlRateExceeded)
            return false;
        if (_controlTokens-- == _options.ControlFrameBurst)
            _controlRefilled = _lastReceived;
        return true;
    }

    private void RefillControlTokens()
    {
        var earned = (long)(_clock.GetElapsedTime(_controlRefilled, _lastReceived).TotalSeconds * _options.ControlFramesPerSecond);
        if (earned <= 0)
            return;
        _controlTokens = (int)Math.Min(_controlTokens + earned, _options.ControlFrameBurst);
        // What is left of the time counts for the next token.
        _controlRefilled += (long)((double)earned * _clock.TimestampFrequency / _options.ControlFramesPerSecond);
    }

    private int _controlTokens;
    private long _controlRefilled;
    private bool _isControlRateExceeded;
}
