using System.Diagnostics;

namespace RealtimeKit.WebSockets;

/// <summary>Builds a Huffman code of limited length for the symbols of one block (RFC 1951 §3.2.2).</summary>
/// <remarks>Belongs to one thread; the arrays are reused from block to block.</remarks>
internal sealed class HuffmanCode(int symbolCount, int maxBits)
{
    // Symbols with a lower frequency are sorted by counting, which most of a short message's are.
    private const int CountedFrequencies = 32;

    private readonly ushort[] _used = new ushort[symbolCount + 1];
    private readonly uint[] _sorted = new uint[symbolCount];
    private readonly int[] _weights = new int[2 * symbolCount + 1];
    private readonly ushort[] _parents = new ushort[2 * symbolCount + 1];
    private readonly int[] _lengthCounts = new int[DeflateSymbols.MaxCodeBits + 1];
    private int _usedCount;

    /// <summary>How often each symbol occurs; whoever counts clears it.</summary>
    public readonly int[] Frequencies = new int[symbolCount];

    /// <summary>The length of the code of each symbol that occurs, in bits.</summary>
    public readonly byte[] Lengths = new byte[symbolCount];

    /// <summary>The code of each symbol in its lower half, ready to be written, and its length in its upper half.</summary>
    public readonly uint[] Codes = new uint[symbolCount];

    /// <summary>Begins to count anew.</summary>
    public void Clear() => Frequencies.AsSpan().Clear();

    /// <summary>The symbols that occur, in order, once <see cref="FindUsed"/> has found them.</summary>
    public ReadOnlySpan<ushort> Used => _used.AsSpan(0, _usedCount);

    /// <summary>Makes lengths and codes for <see cref="Used"/> from the frequencies.</summary>
    /// <returns>The bits that all occurrences take together.</returns>
    public int Build()
    {
        Sort();
        CountLengths();
        Limit();
        AssignLengths();

        Span<uint> next = stackalloc uint[DeflateSymbols.MaxCodeBits + 1];
        StartCodes(_lengthCounts, next);
        var cost = 0;
        foreach (var symbol in _used.AsSpan(0, _usedCount))
        {
            var length = Lengths[symbol];
            Codes[symbol] = Reverse(next[length]++, length) | (uint)length << 16;
            cost += Frequencies[symbol] * length;
        }

        return cost;
    }

    /// <summary>Gives each symbol the next code of its length (RFC 1951 §3.2.2).</summary>
    public static uint[] CreateCodes(ReadOnlySpan<byte> lengths)
    {
        Span<int> counts = stackalloc int[DeflateSymbols.MaxCodeBits + 1];
        counts.Clear();
        foreach (var length in lengths)
            counts[length]++;
        Span<uint> next = stackalloc uint[DeflateSymbols.MaxCodeBits + 1];
        StartCodes(counts, next);

        var codes = new uint[lengths.Length];
        for (var symbol = 0; symbol < lengths.Length; symbol++)
            codes[symbol] = Reverse(next[lengths[symbol]]++, lengths[symbol]) | (uint)lengths[symbol] << 16;
        return codes;
    }

    // The first code of each length follows the last of the length before.
    private static void StartCodes(ReadOnlySpan<int> counts, Span<uint> next)
    {
        next[0] = 0;
        var code = 0u;
        for (var bits = 1; bits < next.Length; bits++)
        {
            next[bits] = code;
            code = (code + (uint)counts[bits]) << 1;
        }
    }

    // Bits are written lowest first, and a code begins with its highest.
    private static uint Reverse(uint code, int length)
    {
        code = (code & 0x5555) << 1 | code >> 1 & 0x5555;
        code = (code & 0x3333) << 2 | code >> 2 & 0x3333;
        code = (code & 0x0F0F) << 4 | code >> 4 & 0x0F0F;
        code = (code & 0x00FF) << 8 | code >> 8 & 0x00FF;
        return code >> (16 - length);
    }

    /// <summary>
    /// Finds the symbols that occur. There are two at least: decoders differ in what they make of a code that leaves bits unused.
    /// </summary>
    public void FindUsed()
    {
        var used = _used.AsSpan();
        var frequencies = Frequencies.AsSpan();
        var count = 0;
        for (var symbol = 0; symbol < frequencies.Length; symbol++)
        {
            used[count] = (ushort)symbol;
            count += frequencies[symbol] != 0 ? 1 : 0;
        }

        _usedCount = count;
        for (var symbol = 0; _usedCount < 2; symbol++)
        {
            if (frequencies[symbol] != 0)
                continue;
            frequencies[symbol] = 1;
            FindUsed();
        }
    }

    // The rarest first: frequency in the upper bits, symbol in the lower nine.
    private void Sort()
    {
        Span<int> starts = stackalloc int[CountedFrequencies + 1];
        starts.Clear();
        var used = _used.AsSpan(0, _usedCount);
        foreach (var symbol in used)
            starts[Math.Min(Frequencies[symbol], CountedFrequencies)]++;

        var total = 0;
        for (var frequency = 1; frequency <= CountedFrequencies; frequency++)
        {
            var count = starts[frequency];
            starts[frequency] = total;
            total += count;
        }

        var frequent = starts[CountedFrequencies];
        foreach (var symbol in used)
        {
            var frequency = Frequencies[symbol];
            _sorted[starts[Math.Min(frequency, CountedFrequencies)]++] = (uint)frequency << 9 | symbol;
        }

        if (total - frequent > 1)
            _sorted.AsSpan(frequent, total - frequent).Sort();
    }

    // Joins the two lightest trees until one is left. Leaves and joined trees are each in order of weight, so both queues are arrays;
    // between them stands a weight that is never the lightest.
    private void CountLengths()
    {
        var leaves = _usedCount;
        var weights = _weights.AsSpan(0, 2 * leaves);
        var parents = _parents.AsSpan(0, weights.Length);
        for (var i = 0; i < leaves; i++)
            weights[i] = (int)(_sorted[i] >> 9);
        weights[leaves..].Fill(int.MaxValue);

        // Which one is the lighter is hard to predict: a mask decides, not a branch.
        var leaf = 0;
        var tree = leaves + 1;
        for (var joined = leaves + 1; joined < weights.Length; joined++)
        {
            var mask = (weights[tree] - weights[leaf]) >> 31;
            var first = leaf + ((tree - leaf) & mask);
            leaf += 1 + mask;
            tree -= mask;
            mask = (weights[tree] - weights[leaf]) >> 31;
            var second = leaf + ((tree - leaf) & mask);
            leaf += 1 + mask;
            tree -= mask;
            weights[joined] = weights[first] + weights[second];
            parents[first] = parents[second] = (ushort)joined;
        }

        // From the root down, each node is one deeper than its parent. The weights are not needed any more.
        _lengthCounts.AsSpan().Clear();
        var depths = weights;
        depths[^1] = 0;
        for (var node = depths.Length - 2; node > leaves; node--)
            depths[node] = depths[parents[node]] + 1;
        for (var node = 0; node < leaves; node++)
            _lengthCounts[Math.Min(depths[parents[node]] + 1, maxBits)]++;
    }

    // Where codes were too long and have been cut, the space of codes is overdrawn: pay by making shorter codes longer.
    private void Limit()
    {
        var space = 0;
        for (var bits = 1; bits <= maxBits; bits++)
            space += _lengthCounts[bits] << (maxBits - bits);

        while (space > 1 << maxBits)
        {
            var bits = maxBits - 1;
            while (_lengthCounts[bits] == 0)
                bits--;

            // A code becomes two of the next length; the second is for one of the longest, which frees that one's place.
            _lengthCounts[bits]--;
            _lengthCounts[bits + 1] += 2;
            _lengthCounts[maxBits]--;
            space--;
        }
    }

    private void AssignLengths()
    {
        var next = 0;
        for (var bits = maxBits; bits > 0; bits--)
            for (var count = _lengthCounts[bits]; count > 0; count--)
                Lengths[_sorted[next++] & 0x1FF] = (byte)bits;
        Debug.Assert(next == _usedCount);
    }
}
