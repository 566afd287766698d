using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Decodes raw DEFLATE blocks (RFC 1951) that may be split at any byte of input and of output. Whatever the input says, it neither
/// throws nor reads or writes outside of the spans it is given; each step consumes input or produces output.
/// </summary>
/// <remarks>Needed only between the first and the last byte of a message, so <see cref="DeflateDecoder"/> lends it out of a pool.</remarks>
internal sealed class InflateState
{
    private const int RootBits = 10;
    private const int DistanceRootBits = 8;

    // The worst codes of these alphabets need 1,334 and 402 entries with these roots; TryBuild would refuse more.
    private readonly InflateTable _literals = new(RootBits, 1344);
    private readonly InflateTable _distances = new(DistanceRootBits, 416);
    private readonly InflateTable _codeLengths = new(DeflateSymbols.MaxCodeLengthBits, 1 << DeflateSymbols.MaxCodeLengthBits);
    private readonly byte[] _lengths = new byte[DeflateSymbols.LiteralCount + DeflateSymbols.DistanceCount];

    private InflateTable _literalTable;
    private InflateTable _distanceTable;
    private Mode _mode;
    private bool _isFinalBlock;

    // Input that has been taken and not used: the next bit is the lowest.
    private ulong _bits;
    private int _bitCount;

    private int _storedLength;
    private int _literalCount;
    private int _distanceCount;
    private int _codeLengthCount;
    private int _lengthIndex;
    private int _matchLength;
    private int _matchDistance;

    public InflateState()
    {
        _literalTable = _literals;
        _distanceTable = _distances;
    }

    private enum Mode : byte
    {
        BlockHeader,
        StoredLength,
        Stored,
        DynamicCounts,
        CodeLengthLengths,
        CodeLengths,
        Symbols,
        Match,
        Failed,
    }

    /// <summary>Whether the last block was marked as the last of its stream (RFC 1951 §3.2.3), and nothing has followed it.</summary>
    public bool IsAfterFinalBlock { get; private set; }

    /// <summary>Whether a block has ended with the last byte of the input, or none has begun.</summary>
    public bool IsBetweenBlocks => _mode == Mode.BlockHeader && _bitCount == 0;

    /// <summary>Begins a new stream.</summary>
    public void Reset()
    {
        _mode = Mode.BlockHeader;
        _bits = 0;
        _bitCount = 0;
        IsAfterFinalBlock = false;
    }

    /// <summary>Decodes until the input is used up or the output is full.</summary>
    /// <param name="source">Input; <paramref name="read"/> moves over what was taken.</param>
    /// <param name="read">How much of the input is taken.</param>
    /// <param name="output">Output; <paramref name="written"/> moves over what was written, and what is before may be referred to.</param>
    /// <param name="written">How much of the output is written.</param>
    /// <param name="history">What was written before the output.</param>
    /// <returns><c>NeedMoreData</c>, <c>DestinationTooSmall</c> or <c>InvalidData</c>: a stream of messages has no end.</returns>
    public OperationStatus Run(ReadOnlySpan<byte> source, ref int read, Span<byte> output, ref int written, in InflateHistory history)
    {
        while (true)
        {
            var status = _mode switch
            {
                Mode.BlockHeader => ReadBlockHeader(source, ref read),
                Mode.StoredLength => ReadStoredLength(source, ref read),
                Mode.Stored => CopyStored(source, ref read, output, ref written),
                Mode.DynamicCounts => ReadDynamicCounts(source, ref read),
                Mode.CodeLengthLengths => ReadCodeLengthLengths(source, ref read),
                Mode.CodeLengths => ReadCodeLengths(source, ref read),
                Mode.Symbols => ReadSymbols(source, ref read, output, ref written, history),
                Mode.Match => CopyMatch(output, ref written, history),
                _ => OperationStatus.InvalidData,
            };

            // Done: the state has changed, and there is more to do.
            if (status == OperationStatus.InvalidData)
                _mode = Mode.Failed;
            if (status != OperationStatus.Done)
                return status;
        }
    }

    // Fills the bits from the input. False: there are fewer than wanted, and no input is left.
    private bool Fill(int wanted, ReadOnlySpan<byte> source, ref int read)
    {
        if (_bitCount >= wanted)
            return true;
        while (_bitCount < 56 && read < source.Length)
        {
            _bits |= (ulong)source[read++] << _bitCount;
            _bitCount += 8;
        }

        return _bitCount >= wanted;
    }

    private uint Take(int count)
    {
        var value = (uint)(_bits & (1UL << count) - 1);
        _bits >>= count;
        _bitCount -= count;
        return value;
    }

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

    // Symbol by symbol, with every bound looked at; where there is plenty of both, the fast loop takes over.
    private OperationStatus ReadSymbols(ReadOnlySpan<byte> source, ref int read, Span<byte> output, ref int written, in InflateHistory history)
    {
        while (true)
        {
            if (source.Length - read >= sizeof(ulong) && output.Length - written >= FastOutput)
            {
                var status = ReadSymbolsFast(source, ref read, output, ref written, history);
                if (_mode != Mode.Symbols || status == OperationStatus.InvalidData)
                    return status;
            }

            // As many bits as there are: one symbol takes 48 at most, so what is missing now is missing in the input.
            Fill(48, source, ref read);
            var entry = Look(_literalTable, _bits, out var bits);
            if (bits > _bitCount)
                return OperationStatus.NeedMoreData;
            switch (entry & InflateTable.KindMask)
            {
                case InflateTable.Literal:
                    if (written == output.Length)
                        return OperationStatus.DestinationTooSmall;
                    Take(bits);
                    output[written++] = (byte)(entry >> InflateTable.ValueShift);
                    continue;

                case InflateTable.EndOfBlock:
                    Take(bits);
                    return EndBlock();

                case InflateTable.Base:
                    var length = Value(entry, _bits, bits);
                    entry = Look(_distanceTable, _bits >> bits, out var distanceBits);
                    if (bits + distanceBits > _bitCount)
                        return OperationStatus.NeedMoreData;
                    if ((entry & InflateTable.KindMask) != InflateTable.Base)
                        return OperationStatus.InvalidData;
                    _matchLength = length;
                    _matchDistance = Value(entry, _bits >> bits, distanceBits);
                    Take(bits);
                    Take(distanceBits);
                    if (!history.Reaches(_matchDistance, written))
                        return OperationStatus.InvalidData;
                    _mode = Mode.Match;
                    return OperationStatus.Done;

                default:
                    return OperationStatus.InvalidData;
            }
        }
    }

    // The entry of the next code, and the bits that it takes together with its extra bits.
    private static uint Look(InflateTable table, ulong bits, out int taken)
    {
        var entry = table.Entries[(uint)bits & (1u << table.RootBits) - 1];
        taken = (int)(entry & 0xFF);
        if ((entry & InflateTable.KindMask) != InflateTable.SubTable)
            return entry;
        var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
        entry = table.Entries[(entry >> InflateTable.ValueShift) + ((uint)(bits >> taken) & (1u << subBits) - 1)];
        taken += (int)(entry & 0xFF);
        return entry;
    }

    // The base and the extra bits, which are the last of those taken.
    private static int Value(uint entry, ulong bits, int taken)
    {
        var extraBits = (int)(entry & 0xFF) - (int)(entry >> InflateTable.CodeBitsShift & 0xF);
        return (int)(entry >> InflateTable.ValueShift) + (int)(bits >> (taken - extraBits) & (1UL << extraBits) - 1);
    }

    private OperationStatus CopyMatch(Span<byte> output, ref int written, in InflateHistory history)
    {
        var count = Math.Min(_matchLength, output.Length - written);
        Copy(output, written, count, _matchDistance, history);
        written += count;
        _matchLength -= count;
        if (_matchLength > 0)
            return OperationStatus.DestinationTooSmall;
        _mode = Mode.Symbols;
        return OperationStatus.Done;
    }

    // A match that begins in the history may end in the output, and may overlap itself.
    private static void Copy(Span<byte> output, int written, int count, int distance, in InflateHistory history)
    {
        if (distance > written)
        {
            var fromHistory = Math.Min(count, distance - written);
            history.CopyTo(output.Slice(written, fromHistory), distance - written);
            written += fromHistory;
            count -= fromHistory;
            if (count == 0)
                return;
        }

        if (distance >= count)
        {
            output.Slice(written - distance, count).CopyTo(output[written..]);
            return;
        }

        for (; count > 0; count--, written++)
            output[written] = output[written - distance];
    }

    // Room for one match, copied in words of which the last may reach past its end.
    private const int FastOutput = DeflateSymbols.MaxMatch + sizeof(ulong);

    private OperationStatus ReadSymbolsFast(ReadOnlySpan<byte> source, ref int readPosition, Span<byte> output, ref int writtenPosition, in InflateHistory history)
    {
        var read = readPosition;
        var written = writtenPosition;
        var bits = _bits;
        var bitCount = _bitCount;
        var literals = _literalTable.Entries;
        var literalMask = (1u << _literalTable.RootBits) - 1;
        var distances = _distanceTable.Entries;
        var distanceMask = (1u << _distanceTable.RootBits) - 1;
        var status = OperationStatus.Done;

        // At the head of the loop there are eight bytes of input and room for the longest match. Bits above bitCount repeat what the
        // input says at `read`; 56 of them hold the longest symbol (48), or one literal and the look at another two.
        while (source.Length - read >= sizeof(ulong) && output.Length - written >= FastOutput)
        {
            bits |= BinaryPrimitives.ReadUInt64LittleEndian(source[read..]) << bitCount;
            read += (63 - bitCount) >> 3;
            bitCount |= 56;

            var entry = literals[(uint)bits & literalMask];
            if ((entry & InflateTable.KindMask) == InflateTable.Literal)
            {
                bits >>= (int)(entry & 0xFF);
                bitCount -= (int)(entry & 0xFF);
                output[written++] = (byte)(entry >> InflateTable.ValueShift);
                entry = literals[(uint)bits & literalMask];
                if ((entry & InflateTable.KindMask) == InflateTable.Literal)
                {
                    bits >>= (int)(entry & 0xFF);
                    bitCount -= (int)(entry & 0xFF);
                    output[written++] = (byte)(entry >> InflateTable.ValueShift);
                    entry = literals[(uint)bits & literalMask];
                    if ((entry & InflateTable.KindMask) == InflateTable.Literal)
                    {
                        bits >>= (int)(entry & 0xFF);
                        bitCount -= (int)(entry & 0xFF);
                        output[written++] = (byte)(entry >> InflateTable.ValueShift);
                    }
                }

                continue;
            }

            if ((entry & InflateTable.KindMask) == InflateTable.SubTable)
            {
                bits >>= (int)(entry & 0xFF);
                bitCount -= (int)(entry & 0xFF);
                var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
                entry = literals[(entry >> InflateTable.ValueShift) + ((uint)bits & (1u << subBits) - 1)];
                if ((entry & InflateTable.KindMask) == InflateTable.Literal)
                {
                    bits >>= (int)(entry & 0xFF);
                    bitCount -= (int)(entry & 0xFF);
                    output[written++] = (byte)(entry >> InflateTable.ValueShift);
                    continue;
                }
            }

            var taken = (int)(entry & 0xFF);
            if ((entry & InflateTable.KindMask) != InflateTable.Base)
            {
                if ((entry & InflateTable.KindMask) == InflateTable.EndOfBlock)
                {
                    bits >>= taken;
                    bitCount -= taken;
                    _mode = Mode.BlockHeader;
                }
                else
                {
                    status = OperationStatus.InvalidData;
                }

                break;
            }

            var length = (int)(entry >> InflateTable.ValueShift) + (int)((bits & (1UL << taken) - 1) >> (int)(entry >> InflateTable.CodeBitsShift & 0xF));
            bits >>= taken;
            bitCount -= taken;

            entry = distances[(uint)bits & distanceMask];
            if ((entry & InflateTable.KindMask) == InflateTable.SubTable)
            {
                bits >>= (int)(entry & 0xFF);
                bitCount -= (int)(entry & 0xFF);
                var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
                entry = distances[(entry >> InflateTable.ValueShift) + ((uint)bits & (1u << subBits) - 1)];
            }

            if ((entry & InflateTable.KindMask) != InflateTable.Base)
            {
                status = OperationStatus.InvalidData;
                break;
            }

            taken = (int)(entry & 0xFF);
            var distance = (int)(entry >> InflateTable.ValueShift) + (int)((bits & (1UL << taken) - 1) >> (int)(entry >> InflateTable.CodeBitsShift & 0xF));
            bits >>= taken;
            bitCount -= taken;
            if (distance > written || distance > history.MaxDistance)
            {
                if (!history.Reaches(distance, written))
                {
                    status = OperationStatus.InvalidData;
                    break;
                }

                Copy(output, written, length, distance, history);
                written += length;
                continue;
            }

            var end = written + length;
            if (distance >= sizeof(ulong))
            {
                var from = written - distance;
                do
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(output[written..], BinaryPrimitives.ReadUInt64LittleEndian(output[from..]));
                    from += sizeof(ulong);
                    written += sizeof(ulong);
                }
                while (written < end);
            }
            else if (distance == 1)
            {
                output.Slice(written, length).Fill(output[written - 1]);
            }
            else
            {
                for (; written < end; written++)
                    output[written] = output[written - distance];
            }

            written = end;
        }

        _bits = bits & (1UL << bitCount) - 1;
        _bitCount = bitCount;
        readPosition = read;
        writtenPosition = written;
        Debug.Assert(bitCount is >= 0 and < 64);
        return _mode == Mode.BlockHeader ? EndBlock() : status;
    }
}
