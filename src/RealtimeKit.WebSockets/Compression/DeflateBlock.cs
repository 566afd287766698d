using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>Collects the literals and matches of one block and writes it in the cheapest of the three forms (RFC 1951 §3.2.3).</summary>
/// <remarks>Belongs to one thread.</remarks>
internal sealed class DeflateBlock
{
    /// <summary>How many literals and matches a block holds at most.</summary>
    public const int Capacity = 16 * 1024;

    /// <summary>What a stored block of any length costs more than its bytes: three bits, alignment, two lengths, rounded up.</summary>
    public const int StoredOverhead = 6;

    private const int MaxStored = ushort.MaxValue;
    private const int BlockHeaderBits = 3;

    // Below this many symbols the header of a dynamic block has never paid for itself.
    private const int FewestForDynamic = 24;

    private static readonly byte[] FixedLiteralLengths = CreateFixedLengths();
    private static readonly uint[] FixedLiteralCodes = HuffmanCode.CreateCodes(FixedLiteralLengths);
    private static readonly uint[] FixedDistanceCodes = HuffmanCode.CreateCodes([.. Enumerable.Repeat((byte)5, DeflateSymbols.FixedDistanceCount)]);

    // A literal is its value; a match is its length in the upper half and its distance in the lower.
    private readonly uint[] _tokens = new uint[Capacity];
    private readonly HuffmanCode _literals = new(DeflateSymbols.LiteralCount, DeflateSymbols.MaxCodeBits);
    private readonly HuffmanCode _distances = new(DeflateSymbols.DistanceCount, DeflateSymbols.MaxCodeBits);
    private readonly HuffmanCode _codeLengths = new(DeflateSymbols.CodeLengthCount, DeflateSymbols.MaxCodeLengthBits);

    // The code lengths of a dynamic block as its header gives them: symbol, and what follows 16, 17 and 18 in the upper half.
    private readonly ushort[] _header = new ushort[DeflateSymbols.LiteralCount + DeflateSymbols.DistanceCount];
    private int _headerCount;
    private int _count;

    public bool IsEmpty => _count == 0;

    public bool IsFull => _count == Capacity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddLiteral(byte value)
    {
        _tokens[_count++] = value;
        _literals.Frequencies[value]++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddMatch(int length, int distance)
    {
        _tokens[_count++] = (uint)(length << 16 | distance);
        _literals.Frequencies[DeflateSymbols.FirstLength + DeflateSymbols.LengthSymbols[length - DeflateSymbols.MinMatch]]++;
        _distances.Frequencies[DeflateSymbols.DistanceSymbol(distance)]++;
    }

    /// <summary>Writes the block and empties it.</summary>
    /// <param name="output">Has room for the bytes and <see cref="StoredOverhead"/> for each 65,535 of them.</param>
    /// <param name="bytes">What the block stands for, for the case that it cannot be made smaller.</param>
    public void Write(ref DeflateBitWriter output, ReadOnlySpan<byte> bytes)
    {
        _literals.Frequencies[DeflateSymbols.EndOfBlock] = 1;
        _literals.FindUsed();
        _distances.FindUsed();
        var extraBits = ExtraBits(out var fixedCost);
        var cost = fixedCost;
        var isDynamic = false;
        if (_count >= FewestForDynamic)
        {
            var dynamicCost = _literals.Build() + _distances.Build() + BuildHeader();
            isDynamic = dynamicCost < cost;
            cost = Math.Min(cost, dynamicCost);
        }

        cost += extraBits;
        if (StoredCost(output.PartialBits, bytes.Length) <= cost + BlockHeaderBits)
        {
            WriteStored(ref output, bytes);
        }
        else if (isDynamic)
        {
            output.Write(0b10 << 1, BlockHeaderBits);
            WriteHeader(ref output);
            WriteTokens(ref output, _literals.Codes, _distances.Codes);
        }
        else
        {
            output.Write(0b01 << 1, BlockHeaderBits);
            WriteTokens(ref output, FixedLiteralCodes, FixedDistanceCodes);
        }

        _count = 0;
        _literals.Clear();
        _distances.Clear();
    }

    // The extra bits, and all others as the fixed codes would have them.
    private int ExtraBits(out int fixedCost)
    {
        var extra = 0;
        var cost = 0;
        var frequencies = _literals.Frequencies;
        foreach (var symbol in _literals.Used)
        {
            cost += frequencies[symbol] * FixedLiteralLengths[symbol];
            if (symbol >= DeflateSymbols.FirstLength)
                extra += frequencies[symbol] * DeflateSymbols.LengthExtraBits[symbol - DeflateSymbols.FirstLength];
        }

        frequencies = _distances.Frequencies;
        foreach (var symbol in _distances.Used)
        {
            cost += frequencies[symbol] * 5;
            extra += frequencies[symbol] * DeflateSymbols.DistanceExtraBits[symbol];
        }

        fixedCost = cost;
        return extra;
    }

    private static long StoredCost(int partialBits, int length)
    {
        var blocks = Math.Max(1, (length + MaxStored - 1) / MaxStored);
        var alignment = -(partialBits + BlockHeaderBits) & 7;
        return BlockHeaderBits + alignment + 32 + (8L * length) + ((blocks - 1) * 40L);
    }

    private static void WriteStored(ref DeflateBitWriter output, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var part = bytes[..Math.Min(bytes.Length, MaxStored)];
            output.Write(0, BlockHeaderBits);
            output.Align();
            output.Write((uint)part.Length | (uint)~part.Length << 16, 32);
            output.WriteBytes(part);
            bytes = bytes[part.Length..];
        }
    }

    // RFC 1951 §3.2.7: the lengths of both codes in one sequence. Gives the header's size in bits.
    private int BuildHeader()
    {
        _headerCount = 0;
        _codeLengths.Clear();
        var run = new Run { Length = -1 };
        var literals = _literals.Used[^1] + 1;
        AddLengths(_literals, 0, ref run);
        AddLengths(_distances, literals, ref run);
        AddRun(run);

        var frequencies = _codeLengths.Frequencies;
        _codeLengths.FindUsed();
        return _codeLengths.Build() + 14 + (3 * CodeLengthsGiven())
            + (2 * frequencies[DeflateSymbols.RepeatLast]) + (3 * frequencies[DeflateSymbols.RepeatZeroShort]) + (7 * frequencies[DeflateSymbols.RepeatZeroLong]);
    }

    // Goes over the symbols that occur; those between them have length 0.
    private void AddLengths(HuffmanCode code, int offset, ref Run run)
    {
        foreach (var symbol in code.Used)
        {
            var position = offset + symbol;
            var length = code.Lengths[symbol];
            if (position != run.End || length != run.Length)
            {
                AddRun(run);
                AddZeros(position - run.End);
                run = new Run { Length = length, Start = position };
            }

            run.End = position + 1;
        }
    }

    private void AddRun(in Run run)
    {
        var count = run.End - run.Start;
        if (count == 0)
            return;
        AddHeader(run.Length, 0);
        for (count--; count >= 3; count -= Math.Min(count, 6))
            AddHeader(DeflateSymbols.RepeatLast, Math.Min(count, 6) - 3);
        for (; count > 0; count--)
            AddHeader(run.Length, 0);
    }

    private void AddZeros(int count)
    {
        for (; count > 10; count -= Math.Min(count, 138))
            AddHeader(DeflateSymbols.RepeatZeroLong, Math.Min(count, 138) - 11);
        if (count >= 3)
        {
            AddHeader(DeflateSymbols.RepeatZeroShort, count - 3);
            return;
        }

        for (; count > 0; count--)
            AddHeader(0, 0);
    }

    private void AddHeader(int symbol, int extra)
    {
        _header[_headerCount++] = (ushort)(symbol | extra << 8);
        _codeLengths.Frequencies[symbol]++;
    }

    /// <summary>Equal code lengths that follow each other.</summary>
    private struct Run
    {
        public int Length;
        public int Start;
        public int End;
    }

    private int CodeLengthsGiven()
    {
        var count = DeflateSymbols.CodeLengthCount;
        while (count > 4 && _codeLengths.Frequencies[DeflateSymbols.CodeLengthOrder[count - 1]] == 0)
            count--;
        return count;
    }

    private void WriteHeader(ref DeflateBitWriter output)
    {
        var given = CodeLengthsGiven();
        // An occurring end of block makes it 257 literal lengths at least, and every code has two symbols.
        output.Write((uint)(_literals.Used[^1] - 256) | (uint)_distances.Used[^1] << 5 | (uint)(given - 4) << 10, 14);
        for (var i = 0; i < given; i++)
        {
            var symbol = DeflateSymbols.CodeLengthOrder[i];
            output.Write(_codeLengths.Frequencies[symbol] == 0 ? 0u : _codeLengths.Lengths[symbol], 3);
        }

        foreach (var entry in _header.AsSpan(0, _headerCount))
        {
            var symbol = entry & 0xFF;
            var code = _codeLengths.Codes[symbol];
            var bits = (int)(code >> 16);
            var extraBits = symbol switch
            {
                DeflateSymbols.RepeatLast => 2,
                DeflateSymbols.RepeatZeroShort => 3,
                DeflateSymbols.RepeatZeroLong => 7,
                _ => 0,
            };
            output.Write(code & 0xFFFF | (uint)(entry >> 8) << bits, bits + extraBits);
        }
    }

    private void WriteTokens(ref DeflateBitWriter output, uint[] literalCodes, uint[] distanceCodes)
    {
        output.Save(out var destination, out var bits, out var bitCount, out var position);
        foreach (var token in _tokens.AsSpan(0, _count))
        {
            if (token <= byte.MaxValue)
            {
                var code = literalCodes[token];
                bits |= (ulong)(code & 0xFFFF) << bitCount;
                bitCount += (int)(code >> 16);
            }
            else
            {
                // At most 15 + 5 + 15 + 13 bits, and 7 from before: they fit.
                var length = (int)(token >> 16);
                var symbol = (int)DeflateSymbols.LengthSymbols[length - DeflateSymbols.MinMatch];
                var code = literalCodes[DeflateSymbols.FirstLength + symbol];
                bits |= (ulong)(code & 0xFFFF) << bitCount;
                bitCount += (int)(code >> 16);
                bits |= (ulong)(length - DeflateSymbols.LengthBase[symbol]) << bitCount;
                bitCount += DeflateSymbols.LengthExtraBits[symbol];

                var distance = (int)(token & 0xFFFF);
                symbol = DeflateSymbols.DistanceSymbol(distance);
                code = distanceCodes[symbol];
                bits |= (ulong)(code & 0xFFFF) << bitCount;
                bitCount += (int)(code >> 16);
                bits |= (ulong)(distance - DeflateSymbols.DistanceBase[symbol]) << bitCount;
                bitCount += DeflateSymbols.DistanceExtraBits[symbol];
            }

            BinaryPrimitives.WriteUInt64LittleEndian(destination[position..], bits);
            position += bitCount >> 3;
            bits >>= bitCount & ~7;
            bitCount &= 7;
        }

        output.Restore(bits, bitCount, position);
        var end = literalCodes[DeflateSymbols.EndOfBlock];
        output.Write(end & 0xFFFF, (int)(end >> 16));
    }

    private static byte[] CreateFixedLengths()
    {
        var lengths = new byte[DeflateSymbols.FixedLiteralCount];
        DeflateSymbols.FillFixedLiteralLengths(lengths);
        return lengths;
    }
}
