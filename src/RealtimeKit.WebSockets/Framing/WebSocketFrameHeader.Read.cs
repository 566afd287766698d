using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

public readonly partial struct WebSocketFrameHeader
{
    /// <summary>Reads the header at the beginning of <paramref name="source"/> (RFC 6455 §5.2).</summary>
    /// <param name="source">Bytes from the wire, beginning with a frame.</param>
    /// <param name="header">The header, or the default value.</param>
    /// <param name="bytesConsumed">The size of the header in bytes; 0 unless the result is <see cref="OperationStatus.Done"/>.</param>
    /// <returns>
    /// <see cref="OperationStatus.Done"/>; <see cref="OperationStatus.NeedMoreData"/> while the header is incomplete;
    /// <see cref="OperationStatus.InvalidData"/> if the length is not a valid encoding. No other rule is applied.
    /// </returns>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out WebSocketFrameHeader header, out int bytesConsumed) =>
        TryRead(source, out header, out bytesConsumed, out _);

    /// <summary>Reads the header at the beginning of <paramref name="source"/> (RFC 6455 §5.2) and says what is wrong with it.</summary>
    /// <param name="source">Bytes from the wire, beginning with a frame.</param>
    /// <param name="header">The header, or the default value.</param>
    /// <param name="bytesConsumed">The size of the header in bytes; 0 unless the result is <see cref="OperationStatus.Done"/>.</param>
    /// <param name="error">
    /// With <see cref="OperationStatus.InvalidData"/>, <see cref="WebSocketProtocolError.NonMinimalLength"/> or
    /// <see cref="WebSocketProtocolError.LengthOverflow"/>; otherwise <see cref="WebSocketProtocolError.None"/>.
    /// </param>
    /// <returns>
    /// <see cref="OperationStatus.Done"/>; <see cref="OperationStatus.NeedMoreData"/> while the header is incomplete;
    /// <see cref="OperationStatus.InvalidData"/> if the length is not a valid encoding. No other rule is applied.
    /// </returns>
    public static OperationStatus TryRead(
        ReadOnlySpan<byte> source, out WebSocketFrameHeader header, out int bytesConsumed, out WebSocketProtocolError error)
    {
        if (source.Length >= 2)
        {
            var second = source[1];
            var length = second & LengthBits;
            var mask = (byte)(second & MaskBit);
            if (length > MaximumInlineLength)
                return ReadExtended(source, out header, out bytesConsumed, out error);

            var size = 2 + (mask >> 5);
            if (source.Length >= size)
            {
                var key = mask == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(source[2..]);
                header = new WebSocketFrameHeader(source[0], mask, key, length);
                bytesConsumed = size;
                error = WebSocketProtocolError.None;
                return OperationStatus.Done;
            }
        }

        return NeedMoreData(out header, out bytesConsumed, out error);
    }

    /// <summary>Reads the header at the beginning of <paramref name="source"/>, wherever its segments part (RFC 6455 §5.2).</summary>
    /// <param name="source">Bytes from the wire, beginning with a frame.</param>
    /// <param name="header">The header, or the default value.</param>
    /// <param name="bytesConsumed">The size of the header in bytes; 0 unless the result is <see cref="OperationStatus.Done"/>.</param>
    /// <returns>As for a span.</returns>
    public static OperationStatus TryRead(in ReadOnlySequence<byte> source, out WebSocketFrameHeader header, out int bytesConsumed) =>
        TryRead(source, out header, out bytesConsumed, out _);

    /// <summary>Reads the header at the beginning of <paramref name="source"/>, wherever its segments part, and says what is wrong with it.</summary>
    /// <param name="source">Bytes from the wire, beginning with a frame.</param>
    /// <param name="header">The header, or the default value.</param>
    /// <param name="bytesConsumed">The size of the header in bytes; 0 unless the result is <see cref="OperationStatus.Done"/>.</param>
    /// <param name="error">The rule that the length breaks, with <see cref="OperationStatus.InvalidData"/>.</param>
    /// <returns>As for a span.</returns>
    public static OperationStatus TryRead(
        in ReadOnlySequence<byte> source, out WebSocketFrameHeader header, out int bytesConsumed, out WebSocketProtocolError error)
    {
        var status = TryRead(source.FirstSpan, out header, out bytesConsumed, out error);
        return status == OperationStatus.NeedMoreData && !source.IsSingleSegment
            ? ReadAcrossSegments(source, out header, out bytesConsumed, out error)
            : status;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OperationStatus ReadAcrossSegments(
        in ReadOnlySequence<byte> source, out WebSocketFrameHeader header, out int bytesConsumed, out WebSocketProtocolError error)
    {
        Span<byte> joined = stackalloc byte[MaxLength];
        var available = (int)Math.Min(source.Length, MaxLength);
        source.Slice(0, available).CopyTo(joined);
        return TryRead(joined[..available], out header, out bytesConsumed, out error);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OperationStatus ReadExtended(
        ReadOnlySpan<byte> source, out WebSocketFrameHeader header, out int bytesConsumed, out WebSocketProtocolError error)
    {
        var second = source[1];
        var is16 = (second & LengthBits) == Length16;
        var beforeKey = is16 ? 2 + sizeof(ushort) : 2 + sizeof(ulong);
        if (source.Length < beforeKey)
            return NeedMoreData(out header, out bytesConsumed, out error);

        var length = is16 ? BinaryPrimitives.ReadUInt16BigEndian(source[2..]) : BinaryPrimitives.ReadInt64BigEndian(source[2..]);

        // RFC 6455 §5.2: "the most significant bit MUST be 0" and "the minimal number of bytes MUST be used".
        error = length < 0 ? WebSocketProtocolError.LengthOverflow
            : length <= (is16 ? MaximumInlineLength : ushort.MaxValue) ? WebSocketProtocolError.NonMinimalLength
            : WebSocketProtocolError.None;
        if (error != WebSocketProtocolError.None)
        {
            header = default;
            bytesConsumed = 0;
            return OperationStatus.InvalidData;
        }

        var mask = (byte)(second & MaskBit);
        var size = beforeKey + (mask >> 5);
        if (source.Length < size)
            return NeedMoreData(out header, out bytesConsumed, out error);

        var key = mask == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(source[beforeKey..]);
        header = new WebSocketFrameHeader(source[0], mask, key, length);
        bytesConsumed = size;
        return OperationStatus.Done;
    }

    private static OperationStatus NeedMoreData(
        out WebSocketFrameHeader header, out int bytesConsumed, out WebSocketProtocolError error)
    {
        header = default;
        bytesConsumed = 0;
        error = WebSocketProtocolError.None;
        return OperationStatus.NeedMoreData;
    }
}
