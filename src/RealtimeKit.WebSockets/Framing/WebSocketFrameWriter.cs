using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Writes frames (RFC 6455 §5.2) into a span or an <see cref="IBufferWriter{T}"/> such as a <c>PipeWriter</c>. Which frames may follow
/// each other is the caller's affair: <see cref="WebSocketFrameHeader.Check"/> tells.
/// </summary>
public static class WebSocketFrameWriter
{
    // Up to here a frame asks for its room at once; beyond, it takes what the writer has, piece by piece.
    private const int MaximumContiguousLength = 2048;

    /// <summary>Writes a frame, masking the payload on the way if the header has a key.</summary>
    /// <typeparam name="TWriter">The type of the writer: a reference type, or a struct that refers to its state.</typeparam>
    /// <param name="output">Receives the frame. It is not flushed.</param>
    /// <param name="header">The header. Its <see cref="WebSocketFrameHeader.PayloadLength"/> is replaced by that of the payload.</param>
    /// <param name="payload">The whole payload, unmasked.</param>
    public static void WriteFrame<TWriter>(TWriter output, WebSocketFrameHeader header, ReadOnlySpan<byte> payload)
        where TWriter : IBufferWriter<byte>
    {
        header = header with { PayloadLength = payload.Length };
        if (payload.Length <= MaximumContiguousLength)
        {
            TryWriteFrame(output.GetSpan(header.Length + payload.Length), header, payload, out var written);
            output.Advance(written);
            return;
        }

        WriteHeader(output, header);
        WritePayload(output, header, payload, header.MaskingKey);
    }

    /// <summary>Writes a frame, masking the payload on the way if the header has a key.</summary>
    /// <typeparam name="TWriter">The type of the writer: a reference type, or a struct that refers to its state.</typeparam>
    /// <param name="output">Receives the frame. It is not flushed.</param>
    /// <param name="header">The header. Its <see cref="WebSocketFrameHeader.PayloadLength"/> is replaced by that of the payload.</param>
    /// <param name="payload">The whole payload, unmasked.</param>
    public static void WriteFrame<TWriter>(TWriter output, WebSocketFrameHeader header, in ReadOnlySequence<byte> payload)
        where TWriter : IBufferWriter<byte>
    {
        if (payload.IsSingleSegment)
        {
            WriteFrame(output, header, payload.FirstSpan);
            return;
        }

        header = header with { PayloadLength = payload.Length };
        WriteHeader(output, header);
        var key = header.MaskingKey;
        foreach (var segment in payload)
            key = WritePayload(output, header, segment.Span, key);
    }

    /// <summary>Writes a close frame as a server does, unmasked (RFC 6455 §5.5.1).</summary>
    /// <typeparam name="TWriter">The type of the writer: a reference type, or a struct that refers to its state.</typeparam>
    /// <param name="output">Receives the frame. It is not flushed.</param>
    /// <param name="status">The code.</param>
    /// <param name="reason">The reason, at most <see cref="WebSocketClosePayload.MaxReasonLength"/> bytes as UTF-8.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code must not stand in a close frame (RFC 6455 §7.4).</exception>
    /// <exception cref="ArgumentException">The reason is too long.</exception>
    public static void WriteClose<TWriter>(TWriter output, WebSocketCloseStatus status, ReadOnlySpan<char> reason)
        where TWriter : IBufferWriter<byte> =>
        WriteClose(output, new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Close }, status, reason);

    /// <summary>Writes a close frame as a client does, masked (RFC 6455 §5.5.1).</summary>
    /// <typeparam name="TWriter">The type of the writer: a reference type, or a struct that refers to its state.</typeparam>
    /// <param name="output">Receives the frame. It is not flushed.</param>
    /// <param name="status">The code.</param>
    /// <param name="reason">The reason, at most <see cref="WebSocketClosePayload.MaxReasonLength"/> bytes as UTF-8.</param>
    /// <param name="maskingKey">A new key: <see cref="WebSocketMask.CreateKey"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code must not stand in a close frame (RFC 6455 §7.4).</exception>
    /// <exception cref="ArgumentException">The reason is too long.</exception>
    public static void WriteClose<TWriter>(TWriter output, WebSocketCloseStatus status, ReadOnlySpan<char> reason, uint maskingKey)
        where TWriter : IBufferWriter<byte> =>
        WriteClose(output, new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Close, MaskingKey = maskingKey }, status, reason);

    /// <summary>Writes a frame into a span, masking the payload on the way if the header has a key.</summary>
    /// <param name="destination">Receives the header and the payload. It must not overlap the payload.</param>
    /// <param name="header">The header. Its <see cref="WebSocketFrameHeader.PayloadLength"/> is replaced by that of the payload.</param>
    /// <param name="payload">The whole payload, unmasked.</param>
    /// <param name="bytesWritten">The size of the frame in bytes, or 0.</param>
    /// <returns>False, with nothing written, if <paramref name="destination"/> is too short.</returns>
    public static bool TryWriteFrame(Span<byte> destination, WebSocketFrameHeader header, ReadOnlySpan<byte> payload, out int bytesWritten)
    {
        header = header with { PayloadLength = payload.Length };
        if (destination.Length - payload.Length < header.Length || !header.TryWrite(destination, out var headerLength))
        {
            bytesWritten = 0;
            return false;
        }

        Copy(header, payload, destination[headerLength..], header.MaskingKey);
        bytesWritten = headerLength + payload.Length;
        return true;
    }

    private static void WriteClose<TWriter>(TWriter output, WebSocketFrameHeader header, WebSocketCloseStatus status, ReadOnlySpan<char> reason)
        where TWriter : IBufferWriter<byte>
    {
        Span<byte> payload = stackalloc byte[WebSocketClosePayload.MaxLength];
        WriteFrame(output, header, payload[..WebSocketClosePayload.Write(payload, status, reason)]);
    }

    private static void WriteHeader<TWriter>(TWriter output, WebSocketFrameHeader header)
        where TWriter : IBufferWriter<byte>
    {
        header.TryWrite(output.GetSpan(WebSocketFrameHeader.MaxLength), out var written);
        output.Advance(written);
    }

    private static uint WritePayload<TWriter>(TWriter output, WebSocketFrameHeader header, ReadOnlySpan<byte> payload, uint key)
        where TWriter : IBufferWriter<byte>
    {
        while (!payload.IsEmpty)
        {
            var room = output.GetSpan();
            var length = Math.Min(payload.Length, room.Length);
            key = Copy(header, payload[..length], room, key);
            output.Advance(length);
            payload = payload[length..];
        }

        return key;
    }

    private static uint Copy(WebSocketFrameHeader header, ReadOnlySpan<byte> payload, Span<byte> destination, uint key)
    {
        if (header.IsMasked)
            return WebSocketMask.Apply(payload, destination, key);
        payload.CopyTo(destination);
        return key;
    }
}
