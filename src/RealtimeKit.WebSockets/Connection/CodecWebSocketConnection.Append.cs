using System.Buffers;

namespace RealtimeKit.WebSockets;

// Messages become frames in the send buffer, under the output gate.
internal sealed partial class CodecWebSocketConnection
{
    private void Append(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, SendForm form)
    {
        var before = _output.Count;
        try
        {
            AppendWhole(opcode, payload, form);
        }
        catch
        {
            _output.Truncate(before);   // the payload's memory is foreign and may be gone: no half of a frame may stay
            throw;
        }
    }

    private void AppendWhole(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, SendForm form)
    {
        if (form == SendForm.Frames)
            payload.CopyTo(_output.Append(checked((int)payload.Length)));
        else if (form is SendForm.Compressible or SendForm.Batch)
            AppendCompressible(opcode, payload, form);
        else if (payload.IsSingleSegment)
            AppendMessage(opcode, payload.FirstSpan, form == SendForm.Compressed);
        else
            AppendMessage(opcode, payload);
    }

    private void AppendMessage(WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool isCompressed = false)
    {
        if (payload.Length <= _options.MaxFrameSize)
        {
            var header = NewHeader(opcode, payload.Length, isFinal: true);
            AppendFrame(isCompressed ? header with { Rsv1 = true } : header, payload);
            return;
        }

        var fragments = new Fragments(opcode, payload.Length, _options.MaxFrameSize, _masks, isCompressed);
        while (fragments.Next(out var header, out var offset))
            AppendFrame(header, payload.Slice(offset, (int)header.PayloadLength));
    }

    private void AppendMessage(WebSocketOpcode opcode, ReadOnlySequence<byte> payload)
    {
        var fragments = new Fragments(opcode, checked((int)payload.Length), _options.MaxFrameSize, _masks, isCompressed: false);
        while (fragments.Next(out var header, out var offset))
        {
            var frame = _output.Append(header.Length + (int)header.PayloadLength);
            header.TryWrite(frame, out var headerLength);
            var body = frame[headerLength..];
            payload.Slice(offset, body.Length).CopyTo(body);
            if (header.IsMasked)
                WebSocketMask.Apply(body, header.MaskingKey);
        }
    }

    private void AppendFrame(in WebSocketFrameHeader header, ReadOnlySpan<byte> payload) =>
        WriteFrame(_output.Append(header.Length + payload.Length), header, payload);

    private static void WriteFrame(Span<byte> destination, in WebSocketFrameHeader header, ReadOnlySpan<byte> payload)
    {
        header.TryWrite(destination, out var headerLength);
        if (header.IsMasked)
            WebSocketMask.Apply(payload, destination[headerLength..], header.MaskingKey);
        else
            payload.CopyTo(destination[headerLength..]);
    }

    // RFC 6455 §5.1 and §5.3: a client masks every frame with a fresh key, a server none.
    private WebSocketFrameHeader NewHeader(WebSocketOpcode opcode, int length, bool isFinal) => _masks
        ? new WebSocketFrameHeader { IsFinal = isFinal, Opcode = opcode, PayloadLength = length, MaskingKey = WebSocketMaskingKeys.Next() }
        : new WebSocketFrameHeader { IsFinal = isFinal, Opcode = opcode, PayloadLength = length };

    /// <summary>Splits a message into frames (RFC 6455 §5.4); RSV1 stands in the first of a compressed one (RFC 7692 §6.1).</summary>
    private struct Fragments(WebSocketOpcode opcode, int length, int maxFrameSize, bool masks, bool isCompressed)
    {
        private int _offset = -1;

        public bool Next(out WebSocketFrameHeader header, out int offset)
        {
            offset = Math.Max(_offset, 0);
            header = default;
            if (_offset >= length)
                return false;
            var count = Math.Min(length - offset, maxFrameSize);
            header = new WebSocketFrameHeader
            {
                IsFinal = offset + count == length,
                Rsv1 = isCompressed && offset == 0,
                Opcode = offset == 0 ? opcode : WebSocketOpcode.Continuation,
                PayloadLength = count,
            };
            if (masks)
                header = header with { MaskingKey = WebSocketMaskingKeys.Next() };
            _offset = length == 0 ? 1 : offset + count;
            return true;
        }
    }
}
