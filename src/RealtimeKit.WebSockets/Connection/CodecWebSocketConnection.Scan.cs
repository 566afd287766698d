using System.Buffers;

namespace RealtimeKit.WebSockets;

// Control frames between the frames of messages that wait for a receiver (RFC 6455 §5.4 and §5.5), under the input gate.
internal sealed partial class CodecWebSocketConnection
{
    private Scan _scan;
    private bool _closeAhead;

    /// <summary>How far the bytes that wait for a receiver have been looked through for control frames.</summary>
    private struct Scan
    {
        public bool IsValid;
        public bool IsStopped;
        public bool IsAnswerOverdue;
        public long StoppedAt;
        public int Offset;
        public int Messages;
        public bool InFrame;
        public bool InMessage;
        public bool FrameIsFinal;
        public long FrameRemaining;
    }

    private bool ScanAhead()
    {
        if (!_scan.IsValid)
            _scan = new Scan { IsValid = true, InFrame = _inFrame, InMessage = _inMessage, FrameIsFinal = _frameIsFinal, FrameRemaining = _frameRemaining };

        while (!_scan.IsStopped && ScanFrame())
        {
        }

        if (_isEndOfStream && _ending is null && !_scan.IsStopped)
            End(null, null, WebSocketCloseInitiator.Network, isClean: false);
        // A violation, a Close or the end with nothing before it for a receiver: now is its turn, once the message that the receiver
        // still holds is answered (it asks for the next) or has been held for long.
        if ((_scan.IsStopped || _isEndOfStream) && _scan.Messages == 0 && (_isEndOfStream || _scan.IsAnswerOverdue || !HoldsMessage))
        {
            Parse(ReceiveKind.None);
            return _inputEnded && Linger();
        }

        return !_scan.IsStopped && !_isEndOfStream && _input.RawLength < _options.ReadAheadSize;
    }

    private bool HoldsMessage => _input.IsLent || _isStreamedToEnd;

    private void StopScan(bool isClose)
    {
        _scan.IsStopped = true;
        _scan.StoppedAt = _clock.GetTimestamp();
        if (isClose && (_scan.Messages > 0 || HoldsMessage))
        {
            _closeAhead = true;
            _closeAheadSince = _scan.StoppedAt;
        }

        _wheel.EnsureWithin(_timer, ticks: 4);
    }

    // False: nothing more can be told from the bytes that are here.
    private bool ScanFrame()
    {
        if (_scan.InFrame)
        {
            var skipped = (int)Math.Min(_scan.FrameRemaining, _input.RawLength - _scan.Offset);
            _scan.Offset += skipped;
            _scan.FrameRemaining -= skipped;
            if (_scan.FrameRemaining > 0)
                return false;
            _scan.InFrame = false;
            if (_scan.FrameIsFinal)
            {
                _scan.InMessage = false;
                _scan.Messages++;
            }
        }

        var raw = _input.Raw[_scan.Offset..];
        var status = WebSocketFrameHeader.TryRead(raw, out var header, out var headerLength);
        if (status == OperationStatus.NeedMoreData)
            return false;
        var rules = new WebSocketFrameRules { Role = _readerRole, IsMessageInProgress = _scan.InMessage, AllowsRsv1 = _deflate is not null };
        if (status == OperationStatus.InvalidData || header.Check(rules) != WebSocketProtocolError.None)
        {
            StopScan(isClose: false);
            return false;
        }

        if (!header.IsControl)
        {
            _scan.Offset += headerLength;
            _scan.InFrame = _scan.InMessage = true;
            _scan.FrameIsFinal = header.IsFinal;
            _scan.FrameRemaining = header.PayloadLength;
            return true;
        }

        var frameLength = headerLength + (int)header.PayloadLength;
        if (raw.Length < frameLength)
            return false;
        if (header.Opcode == WebSocketOpcode.Close || !TakeControlToken())
        {
            StopScan(header.Opcode == WebSocketOpcode.Close);
            return false;
        }

        var payload = _input.RawSpan(_scan.Offset + headerLength, (int)header.PayloadLength);
        if (header.IsMasked)
            WebSocketMask.Apply(payload, header.MaskingKey);
        if (header.Opcode == WebSocketOpcode.Ping)
            EnqueuePong(payload);
        else
            OnPong(payload);
        _input.RemoveRaw(_scan.Offset, frameLength);
        return true;
    }
}
