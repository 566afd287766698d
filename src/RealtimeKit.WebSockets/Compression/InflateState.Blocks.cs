using System.Buffers;

namespace RealtimeKit.WebSockets;

// Block headers, stored blocks, and the codes of dynamic ones (RFC 1951 §3.2.3, §3.2.4, §3.2.7).
internal sealed partial class InflateState
{
    private OperationStatus ReadBlockHeader(ReadOnlySpan<byte> source, ref int read)
    {
        if (!Fill(3, source, ref read))
            return OperationStatus.NeedMoreData;
        IsAfterFinalBlock = false;
        _isFinalBlock = Take(1) != 0;
        switch (Take(2))
        {
            case 0:
                Take(_bitCount & 7);
                _mode = Mode.StoredLength;
                return OperationStatus.Done;
            case 1:
                _literalTable = InflateTable.FixedLiterals;
                _distanceTable = InflateTable.FixedDistances;
                _mode = Mode.Symbols;
                return OperationStatus.Done;
            case 2:
                _mode = Mode.DynamicCounts;
                return OperationStatus.Done;
            default:
                return OperationStatus.InvalidData;
        }
    }

    // RFC 7692 §7.2.3.4: behind a block with BFINAL the next one begins at a byte; the history stays.
    private OperationStatus EndBlock()
    {
        if (_isFinalBlock)
        {
            Take(_bitCount & 7);
            IsAfterFinalBlock = true;
        }

        _mode = Mode.BlockHeader;
        return OperationStatus.Done;
    }

    private OperationStatus ReadStoredLength(ReadOnlySpan<byte> source, ref int read)
    {
        if (!Fill(32, source, ref read))
            return OperationStatus.NeedMoreData;
        var length = Take(16);
        if (Take(16) != (ushort)~length)
            return OperationStatus.InvalidData;
        _storedLength = (int)length;
        _mode = Mode.Stored;
        return OperationStatus.Done;
    }

    private OperationStatus CopyStored(ReadOnlySpan<byte> source, ref int read, Span<byte> output, ref int written)
    {
        // First what was taken already: whole bytes.
        while (_storedLength > 0 && _bitCount > 0)
        {
            if (written == output.Length)
                return OperationStatus.DestinationTooSmall;
            output[written++] = (byte)Take(8);
            _storedLength--;
        }

        if (_bitCount == 0)
            _bits = 0;   // what Fill saw of the next bytes
        var count = Math.Min(_storedLength, Math.Min(source.Length - read, output.Length - written));
        source.Slice(read, count).CopyTo(output[written..]);
        read += count;
        written += count;
        _storedLength -= count;
        if (_storedLength == 0)
            return EndBlock();
        return written == output.Length ? OperationStatus.DestinationTooSmall : OperationStatus.NeedMoreData;
    }

    private OperationStatus ReadDynamicCounts(ReadOnlySpan<byte> source, ref int read)
    {
        if (!Fill(14, source, ref read))
            return OperationStatus.NeedMoreData;
        _literalCount = (int)Take(5) + 257;
        _distanceCount = (int)Take(5) + 1;
        _codeLengthCount = (int)Take(4) + 4;
        if (_literalCount > DeflateSymbols.LiteralCount || _distanceCount > DeflateSymbols.DistanceCount)
            return OperationStatus.InvalidData;
        _lengths.AsSpan(0, DeflateSymbols.CodeLengthCount).Clear();
        _lengthIndex = 0;
        _mode = Mode.CodeLengthLengths;
        return OperationStatus.Done;
    }

    private OperationStatus ReadCodeLengthLengths(ReadOnlySpan<byte> source, ref int read)
    {
        for (; _lengthIndex < _codeLengthCount; _lengthIndex++)
        {
            if (!Fill(3, source, ref read))
                return OperationStatus.NeedMoreData;
            _lengths[DeflateSymbols.CodeLengthOrder[_lengthIndex]] = (byte)Take(3);
        }

        if (!_codeLengths.TryBuild(_lengths.AsSpan(0, DeflateSymbols.CodeLengthCount), InflateTable.CodeLengthSymbols, allowsOneCode: false))
            return OperationStatus.InvalidData;
        _lengthIndex = 0;
        _mode = Mode.CodeLengths;
        return OperationStatus.Done;
    }

    private OperationStatus ReadCodeLengths(ReadOnlySpan<byte> source, ref int read)
    {
        var total = _literalCount + _distanceCount;
        var entries = _codeLengths.Entries;
        var mask = (1u << _codeLengths.RootBits) - 1;
        while (_lengthIndex < total)
        {
            // A code and its extra bits are seven bits each at most. At the end of the input there may be fewer.
            Fill(14, source, ref read);
            var entry = entries[(uint)_bits & mask];
            var bits = (int)(entry & 0xFF);
            var symbol = (int)(entry >> InflateTable.ValueShift);
            var extraBits = symbol < DeflateSymbols.RepeatLast ? 0 : symbol switch
            {
                DeflateSymbols.RepeatLast => 2,
                DeflateSymbols.RepeatZeroShort => 3,
                _ => 7,
            };
            if (bits + extraBits > _bitCount)
                return OperationStatus.NeedMoreData;

            Take(bits);
            if (extraBits == 0)
            {
                _lengths[_lengthIndex++] = (byte)symbol;
                continue;
            }

            if (symbol == DeflateSymbols.RepeatLast && _lengthIndex == 0)
                return OperationStatus.InvalidData;
            var repeated = symbol == DeflateSymbols.RepeatLast ? _lengths[_lengthIndex - 1] : (byte)0;
            var count = (int)Take(extraBits) + (symbol == DeflateSymbols.RepeatZeroLong ? 11 : 3);
            if (count > total - _lengthIndex)
                return OperationStatus.InvalidData;
            _lengths.AsSpan(_lengthIndex, count).Fill(repeated);
            _lengthIndex += count;
        }

        // A block that cannot end is no block.
        if (_lengths[DeflateSymbols.EndOfBlock] == 0
            || !_literals.TryBuild(_lengths.AsSpan(0, _literalCount), InflateTable.LiteralSymbols, allowsOneCode: true)
            || !_distances.TryBuild(_lengths.AsSpan(_literalCount, _distanceCount), InflateTable.DistanceSymbols, allowsOneCode: true))
            return OperationStatus.InvalidData;
        _literalTable = _literals;
        _distanceTable = _distances;
        _mode = Mode.Symbols;
        return OperationStatus.Done;
    }
}
