using System.Diagnostics;

namespace RealtimeKit.WebSockets;

/// <summary>Decodes one Huffman code by table: a root table for short codes, and tables behind it for the rest of long ones.</summary>
internal sealed class InflateTable
{
    // An entry: the bits that its code and extra bits take (8), the code alone (4), its kind (4), its value (16).
    public const int CodeBitsShift = 8;
    public const int KindShift = 12;
    public const int ValueShift = 16;
    public const uint KindMask = 0xF << KindShift;
    public const uint Literal = 0 << KindShift;
    public const uint Base = 1 << KindShift;        // a length or a distance: extra bits are added to the value
    public const uint EndOfBlock = 2 << KindShift;
    public const uint SubTable = 3 << KindShift;    // the code bits are the sub-table's, the value is where it begins
    public const uint Invalid = 4 << KindShift;

    /// <summary>The symbols of literals and lengths, without their codes.</summary>
    public static readonly uint[] LiteralSymbols = CreateLiteralSymbols();

    /// <summary>The symbols of distances.</summary>
    public static readonly uint[] DistanceSymbols = CreateDistanceSymbols();

    /// <summary>The symbols of code lengths.</summary>
    public static readonly uint[] CodeLengthSymbols = [.. Enumerable.Range(0, DeflateSymbols.CodeLengthCount).Select(symbol => (uint)symbol << ValueShift)];

    /// <summary>The fixed code of literals and lengths (RFC 1951 §3.2.6).</summary>
    public static readonly InflateTable FixedLiterals = CreateFixedLiterals();

    /// <summary>The fixed code of distances.</summary>
    public static readonly InflateTable FixedDistances = CreateFixedDistances();

    private readonly int _maxRootBits;
    private readonly uint[] _entries;

    /// <summary>Creates an empty table.</summary>
    /// <param name="maxRootBits">The most bits that one look decodes.</param>
    /// <param name="capacity">What the worst code of the alphabet takes; the build checks it.</param>
    public InflateTable(int maxRootBits, int capacity)
    {
        _maxRootBits = maxRootBits;
        _entries = new uint[capacity];
    }

    /// <summary>How many bits the root table looks at.</summary>
    public int RootBits { get; private set; }

    /// <summary>The root table and what stands behind it.</summary>
    public uint[] Entries => _entries;

    /// <summary>Builds the table of a canonical code (RFC 1951 §3.2.2).</summary>
    /// <param name="lengths">The length of each symbol's code; 0 where it has none.</param>
    /// <param name="symbols">The entry of each symbol.</param>
    /// <param name="allowsOneCode">Whether a single code of one bit, or none at all, is allowed (RFC 1951 §3.2.7).</param>
    /// <returns>False: the lengths are no prefix code.</returns>
    public bool TryBuild(ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> symbols, bool allowsOneCode)
    {
        Span<ushort> counts = stackalloc ushort[DeflateSymbols.MaxCodeBits + 1];
        counts.Clear();
        foreach (var length in lengths)
            counts[length]++;
        counts[0] = 0;
        var maxBits = counts.LastIndexOfAnyExcept((ushort)0);

        // The share of the code space that is left; overdrawn codes are ambiguous, unused space is an error too but for one case.
        var left = 1;
        Span<ushort> starts = stackalloc ushort[DeflateSymbols.MaxCodeBits + 2];
        starts[1] = 0;
        for (var bits = 1; bits <= DeflateSymbols.MaxCodeBits; bits++)
        {
            left = (left << 1) - counts[bits];
            if (left < 0)
                return false;
            starts[bits + 1] = (ushort)(starts[bits] + counts[bits]);
        }

        if (left > 0 && !(allowsOneCode && maxBits <= 1))
            return false;

        Span<ushort> sorted = stackalloc ushort[DeflateSymbols.FixedLiteralCount];
        for (var symbol = 0; symbol < lengths.Length; symbol++)
            if (lengths[symbol] != 0)
                sorted[starts[lengths[symbol]]++] = (ushort)symbol;
        return TryFill(sorted, symbols, counts, Math.Max(maxBits, 1));
    }

    // The table doubles with each length: what shorter codes have filled is repeated, then the codes of that length are put in.
    private bool TryFill(ReadOnlySpan<ushort> sorted, ReadOnlySpan<uint> symbols, Span<ushort> counts, int maxBits)
    {
        RootBits = Math.Min(maxBits, _maxRootBits);
        var entries = _entries.AsSpan();
        entries[0] = Invalid | (uint)RootBits;
        var size = 1;
        var code = 0u;   // bits reversed: the first bit of a code is the lowest
        var next = 0;
        for (var bits = 1; bits <= RootBits; bits++)
        {
            entries[..size].CopyTo(entries[size..]);
            size <<= 1;
            for (var count = counts[bits]; count > 0; count--)
            {
                entries[(int)code] = symbols[sorted[next++]] + WithBits(bits);
                code = Next(code, bits);
            }
        }

        var rootMask = (1u << RootBits) - 1;
        var prefix = uint.MaxValue;
        var start = size;
        var subBits = 0;
        for (var bits = RootBits + 1; bits <= maxBits; bits++)
        {
            for (; counts[bits] > 0; counts[bits]--)
            {
                if ((code & rootMask) != prefix)
                {
                    // A new sub-table, as large as the codes that are left can fill.
                    prefix = code & rootMask;
                    subBits = bits - RootBits;
                    for (var space = (int)counts[bits]; space < 1 << subBits && RootBits + subBits < maxBits;)
                        space = (space << 1) + counts[RootBits + ++subBits];
                    start = size;
                    size += 1 << subBits;
                    if (size > entries.Length)
                        return false;
                    entries[start..size].Fill(Invalid | (uint)subBits);
                    entries[(int)prefix] = SubTable | (uint)start << ValueShift | (uint)subBits << CodeBitsShift | (uint)RootBits;
                }

                var entry = symbols[sorted[next++]] + WithBits(bits - RootBits);
                var step = 1 << (bits - RootBits);
                for (var index = start + (int)(code >> RootBits); index < size; index += step)
                    entries[index] = entry;
                code = Next(code, bits);
            }
        }

        Debug.Assert(size <= entries.Length);
        return true;
    }

    private static uint WithBits(int bits) => (uint)(bits | bits << CodeBitsShift);

    // The next code of a length, or the first of the next length: adds one at the last bit, which is the highest here.
    private static uint Next(uint code, int bits)
    {
        var bit = 1u << (bits - 1);
        while ((code & bit) != 0)
        {
            code ^= bit;
            bit >>= 1;
        }

        return code | bit;
    }

    private static uint[] CreateLiteralSymbols()
    {
        var symbols = new uint[DeflateSymbols.FixedLiteralCount];
        for (var value = 0u; value < DeflateSymbols.EndOfBlock; value++)
            symbols[value] = Literal | value << ValueShift;
        symbols[DeflateSymbols.EndOfBlock] = EndOfBlock;
        for (var i = 0; i < DeflateSymbols.LengthBase.Length; i++)
            symbols[DeflateSymbols.FirstLength + i] = Base | (uint)DeflateSymbols.LengthBase[i] << ValueShift | DeflateSymbols.LengthExtraBits[i];
        symbols.AsSpan(DeflateSymbols.LiteralCount).Fill(Invalid);
        return symbols;
    }

    private static uint[] CreateDistanceSymbols()
    {
        var symbols = new uint[DeflateSymbols.FixedDistanceCount];
        for (var i = 0; i < DeflateSymbols.DistanceCount; i++)
            symbols[i] = Base | (uint)DeflateSymbols.DistanceBase[i] << ValueShift | DeflateSymbols.DistanceExtraBits[i];
        symbols.AsSpan(DeflateSymbols.DistanceCount).Fill(Invalid);
        return symbols;
    }

    private static InflateTable CreateFixedLiterals()
    {
        Span<byte> lengths = stackalloc byte[DeflateSymbols.FixedLiteralCount];
        DeflateSymbols.FillFixedLiteralLengths(lengths);
        var table = new InflateTable(9, 1 << 9);
        table.TryBuild(lengths, LiteralSymbols, allowsOneCode: false);
        return table;
    }

    private static InflateTable CreateFixedDistances()
    {
        Span<byte> lengths = stackalloc byte[DeflateSymbols.FixedDistanceCount];
        lengths.Fill(5);
        var table = new InflateTable(5, 1 << 5);
        table.TryBuild(lengths, DistanceSymbols, allowsOneCode: false);
        return table;
    }
}
