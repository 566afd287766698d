using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Receiving compressed messages (RFC 7692 §7.2.2), under the input gate.
internal sealed partial class CodecWebSocketConnection
{
    // Inflated bytes are validated while they are in the cache, and a streamed part is not larger.
    private const int InflatePieceSize = 64 * 1024;

    // Most JSON shrinks to between a third and a tenth.
    private const int LikelyRatio = 6;

    private readonly PerMessageDeflateSession? _deflate;
    private bool _isCompressed;
    private bool _hasMoreOutput;     // the decoder has been stopped by a full part
    private int _unmaskedAhead;      // payload of the frame that is unmasked and not consumed, at the head of the raw bytes
    private long _inflatedLength;

    // The payload of a compressed frame, as far as it is here.
    private WebSocketProtocolError TakeCompressedPayload(ReceiveKind kind)
    {
        var available = (int)Math.Min(_frameRemaining, _input.RawLength);
        var source = _input.RawSpan(0, available);
        if (_frameIsMasked)
            _frameKey = WebSocketMask.Apply(source[_unmaskedAhead..], _frameKey);
        _unmaskedAhead = available;

        // RFC 7692 §8: no more is inflated than the limits allow for what has arrived.
        var isLast = _frameIsFinal && available == _frameRemaining;
        var limit = kind == ReceiveKind.Message ? _options.MaxMessageSize : _options.MaxStreamedMessageSize;
        limit = Math.Min(limit, _deflate!.MaxInflated(_messageLength - _frameRemaining + available));
        while (isLast || _hasMoreOutput || !source.IsEmpty)
        {
            // Nobody waits for more than a part, unless it is for a whole message; and a part that is lent out stays where it is.
            var room = kind == ReceiveKind.Message ? InflatePieceSize
                : _input.IsLent ? 0
                : Math.Min(InflatePieceSize, _partSeen + InflatePieceSize - _input.BodyLength);
            _hasMoreOutput = room <= 0;
            if (_hasMoreOutput)
                break;
            var allowed = (int)Math.Min(room, Math.Max(limit - _inflatedLength, 0));
            var destination = _input.InflateSpace(LikelyRatio * Math.Min(source.Length, InflatePieceSize), allowed);
            var status = _deflate.Decoder.Decompress(source, destination, isLast, out var consumed, out var written);
            ConsumePayload(consumed);
            source = source[consumed..];
            _inflatedLength += written;
            if (!TakeInflated(_input.CommitInflated(written)))
                return WebSocketProtocolError.InvalidUtf8;

            _hasMoreOutput = status == OperationStatus.DestinationTooSmall;
            if (status == OperationStatus.InvalidData)
                return WebSocketProtocolError.InvalidCompressedData;
            if (!_hasMoreOutput)
                break;
            if (_inflatedLength >= limit)
                return _inflatedLength >= _deflate.MaxInflated(_messageLength - _frameRemaining + source.Length)
                    ? WebSocketProtocolError.InflateRatioExceeded
                    : WebSocketProtocolError.MessageTooBig;
        }

        return WebSocketProtocolError.None;
    }

    private bool TakeInflated(Span<byte> inflated) => _messageType != WebSocketMessageType.Text || _utf8.Append(inflated);

    private void ConsumePayload(int count)
    {
        _input.SkipRaw(count);
        _frameRemaining -= count;
        _unmaskedAhead = Math.Max(_unmaskedAhead - count, 0);
    }

    private void BeginCompressedMessage()
    {
        _inflatedLength = 0;
        _hasMoreOutput = false;
        _unmaskedAhead = 0;
        _input.BeginInflatedBody();
    }
}
