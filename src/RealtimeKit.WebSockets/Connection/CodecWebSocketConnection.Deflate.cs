using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Sending compressed messages (RFC 7692 §7.2.1). Without context takeover a message is compressed before the output gate is entered,
// with it under the gate: there its form depends on those before it, so that compressing is part of the order.
internal sealed partial class CodecWebSocketConnection
{
    // Larger ones would not fit into the arrays of a compressor. No peer accepts them by default.
    private const int MaxCompressible = 1 << 30;

    public override ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags, CancellationToken cancellationToken = default)
    {
        var opcode = type.ToOpcode();
        if (MayCompress(flags))
            return SendAsync(payload, type, cancellationToken);
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : SendMessageAsync(opcode, payload, cancellationToken);
    }

    public override ValueTask SendAsync(ReadOnlySequence<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags, CancellationToken cancellationToken = default) =>
        MayCompress(flags)
            ? SendAsync(payload, type, cancellationToken)
            : SendSequenceAsync(type.ToOpcode(), payload, SendForm.Message, cancellationToken);

    internal override ValueTask SendBatchAsync(ReadOnlyMemory<byte> batch, CancellationToken cancellationToken) => SendSequenceAsync(
        default, new ReadOnlySequence<byte>(batch), _deflate is { TakesOver: true } ? SendForm.Batch : SendForm.Frames, cancellationToken);

    internal override void WriteToBatch(PooledBufferWriter batch, ReadOnlySpan<byte> payload, WebSocketMessageType type, WebSocketMessageFlags flags)
    {
        var opcode = type.ToOpcode();
        var compresses = Compresses(payload.Length) && MayCompress(flags);
        if (_deflate is { TakesOver: true })
        {
            // A batch that waits for its flush must not be compressed yet.
            WriteFrame(batch, new WebSocketFrameHeader { IsFinal = true, Rsv1 = compresses, Opcode = opcode, PayloadLength = payload.Length }, payload);
            return;
        }

        if (!compresses)
        {
            WriteMessage(batch, opcode, payload, isCompressed: false);
            return;
        }

        var compressed = PooledBufferWriter.Rent();
        var isSmaller = PerMessageDeflateSession.TryCompress(payload, compressed, _deflate!.WindowBits);
        WriteMessage(batch, opcode, isSmaller ? compressed.WrittenMemory.Span : payload, isSmaller);
        compressed.Return();
    }

    internal override void WriteToBatch(PooledBufferWriter batch, PreparedWebSocketMessage message)
    {
        if (PreparedForm(message) is { } form)
            WriteMessage(batch, message.Type.ToOpcode(), form.Payload.Span, form.Form == SendForm.Compressed);
        else
            WriteToBatch(batch, message.Payload.Span, message.Type, message.Flags);
    }

    internal override void WriteToBatch(PooledBufferWriter batch, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, WebSocketMessageType type)
    {
        var length = head.Length + tail.Length;
        if (!_masks && length <= _options.MaxFrameSize && !Compresses(length))
        {
            var header = new WebSocketFrameHeader { IsFinal = true, Opcode = type.ToOpcode(), PayloadLength = length };
            var frame = batch.GetSpan(header.Length + length);
            header.TryWrite(frame, out var written);
            head.CopyTo(frame[written..]);
            tail.CopyTo(frame[(written + head.Length)..]);
            batch.Advance(written + length);
            return;
        }

        var whole = PooledBufferWriter.Rent();
        var message = whole.GetSpan(length);
        head.CopyTo(message);
        tail.CopyTo(message[head.Length..]);
        whole.Advance(length);
        WriteToBatch(batch, whole.WrittenMemory.Span, type, WebSocketMessageFlags.None);
        whole.Return();
    }

    private void WriteMessage(PooledBufferWriter batch, WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool isCompressed)
    {
        var fragments = new Fragments(opcode, payload.Length, _options.MaxFrameSize, _masks, isCompressed);
        while (fragments.Next(out var header, out var offset))
            WriteFrame(batch, header, payload.Slice(offset, (int)header.PayloadLength));
    }

    private static void WriteFrame(PooledBufferWriter batch, in WebSocketFrameHeader header, ReadOnlySpan<byte> payload)
    {
        var size = header.Length + payload.Length;
        WriteFrame(batch.GetSpan(size), header, payload);
        batch.Advance(size);
    }

    private static bool MayCompress(WebSocketMessageFlags flags) => (flags & WebSocketMessageFlags.DisableCompression) == 0;

    private bool Compresses(long length) => _deflate is not null && length >= _deflate.MinimumSize && length <= MaxCompressible;

    // The form in which a prepared message is sent; null: it is compressed for this connection alone.
    private PreparedWebSocketForm? PreparedForm(PreparedWebSocketMessage message)
    {
        if (!MayCompress(message.Flags) || !Compresses(message.Payload.Length))
            return message.Plain;
        return _deflate!.TakesOver ? null : message.Compress(_deflate.WindowBits);
    }

    private ValueTask SendCompressedAsync(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        if (_deflate!.TakesOver)
            return SendSequenceAsync(opcode, payload, SendForm.Compressible, cancellationToken);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);

        var compressed = PooledBufferWriter.Rent();
        bool isSmaller;
        ValueTask send = default;
        try
        {
            isSmaller = TryCompress(payload, compressed);
            if (isSmaller)
                send = SendSequenceAsync(opcode, new ReadOnlySequence<byte>(compressed.WrittenMemory), SendForm.Compressed, cancellationToken);
        }
        catch
        {
            compressed.Return();
            throw;
        }

        if (!send.IsCompleted)
            return compressed.ReturnAfterAsync(send);
        compressed.Return();
        return isSmaller ? send : SendSequenceAsync(opcode, payload, SendForm.Message, cancellationToken);
    }

    private bool TryCompress(in ReadOnlySequence<byte> payload, PooledBufferWriter compressed)
    {
        if (payload.IsSingleSegment)
            return PerMessageDeflateSession.TryCompress(payload.FirstSpan, compressed, _deflate!.WindowBits);
        var whole = BufferPool.Rent((int)payload.Length);
        payload.CopyTo(whole);
        var isSmaller = PerMessageDeflateSession.TryCompress(whole.AsSpan(0, (int)payload.Length), compressed, _deflate!.WindowBits);
        BufferPool.Return(whole);
        return isSmaller;
    }

    // Under the output gate.
    private void AppendCompressible(WebSocketOpcode opcode, ReadOnlySequence<byte> payload, SendForm form)
    {
        var compressed = PooledBufferWriter.Rent();
        if (form == SendForm.Batch)
        {
            AppendBatch(payload.FirstSpan, compressed);
        }
        else if (payload.IsSingleSegment)
        {
            AppendNext(opcode, payload.FirstSpan, compressed);
        }
        else
        {
            var whole = BufferPool.Rent((int)payload.Length);
            payload.CopyTo(whole);
            AppendNext(opcode, whole.AsSpan(0, (int)payload.Length), compressed);
            BufferPool.Return(whole);
        }

        compressed.Return();
    }

    private void AppendBatch(ReadOnlySpan<byte> batch, PooledBufferWriter compressed)
    {
        while (WebSocketFrameHeader.TryRead(batch, out var header, out var headerLength) == OperationStatus.Done)
        {
            var payload = batch.Slice(headerLength, (int)header.PayloadLength);
            if (header.Rsv1)
                AppendNext(header.Opcode, payload, compressed);
            else
                AppendMessage(header.Opcode, payload);
            batch = batch[(headerLength + payload.Length)..];
        }
    }

    private void AppendNext(WebSocketOpcode opcode, ReadOnlySpan<byte> message, PooledBufferWriter compressed)
    {
        compressed.Clear();
        _deflate!.CompressNext(message, compressed);
        AppendMessage(opcode, compressed.WrittenMemory.Span, isCompressed: true);
    }
}
