namespace RealtimeKit.Fuzzing;

/// <summary>
/// RFC 1951 bit by bit, for messages as RFC 7692 §7.2.2 has them: the four bytes that the sender left out are put back, and a match reaches
/// back no further than the window that was agreed on. It keeps all output, so that nothing depends on where it lies.
/// </summary>
internal sealed class PlainInflater(int windowBits, bool takesOver)
{
    private static readonly int[] LengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static readonly int[] LengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly int[] Order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly List<byte> _output = [];
    private byte[] _input = [];
    private int _bit;
    private int _maxOutput;
    private bool _hasNoCodes;

    /// <summary>Whether a block was marked as the last of its stream.</summary>
    public bool HasFinalBlock { get; private set; }

    /// <summary>
    /// Whether the last message was refused because it ends too early; or because no code length has a code, which zlib notices only once it
    /// has read that many lengths.
    /// </summary>
    public bool IsTruncated => IsPastEnd || _hasNoCodes;

    /// <summary>Inflates the next message.</summary>
    /// <param name="payload">Its payload.</param>
    /// <param name="maxOutput">No more than this is made; then the message counts as inflated.</param>
    /// <param name="message">What was inflated, also of a message that is corrupt further on.</param>
    /// <returns>Whether it is a message, as far as it was looked at.</returns>
    public bool TryInflate(ReadOnlySpan<byte> payload, int maxOutput, out byte[] message)
    {
        _input = payload.IsEmpty ? [] : [.. payload, 0, 0, 0xFF, 0xFF];
        _bit = 0;
        if (!takesOver)
            _output.Clear();
        var start = _output.Count;
        _maxOutput = start + maxOutput;
        var isRead = TryBlocks(payload.Length);
        message = [.. _output.Skip(start)];
        return isRead;
    }

    private bool TryBlocks(int payloadLength)
    {
        while (_bit < 8 * _input.Length && _output.Count < _maxOutput)
        {
            var isFinal = Bits(1) == 1;
            HasFinalBlock |= isFinal;
            var isBlock = Bits(2) switch
            {
                0 => TryStored(),
                1 => TrySymbols(FixedLiterals, FixedDistances),
                2 => TryDynamic(),
                _ => false,
            };
            if (!isBlock)
                return false;
            if (!isFinal)
                continue;
            _bit = (_bit + 7) / 8 * 8;
            if (_bit == 8 * payloadLength)
                return true;   // RFC 7692 §7.2.3.4: nothing needs to follow a final block
        }

        return _bit <= 8 * _input.Length;
    }

    private static Code FixedLiterals { get; } =
        Code.Create([.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)])!;

    private static Code FixedDistances { get; } = Code.Create([.. Enumerable.Repeat(5, 32)])!;

    // Beyond the end there are zeros, and the position says that it is too far.
    private int Bits(int count)
    {
        var value = 0;
        for (var i = 0; i < count; i++, _bit++)
        {
            if (_bit < 8 * _input.Length)
                value |= (_input[_bit / 8] >> _bit % 8 & 1) << i;
        }

        return value;
    }

    private bool IsPastEnd => _bit > 8 * _input.Length;

    private bool TryStored()
    {
        _bit = (_bit + 7) / 8 * 8;
        var length = Bits(16);
        if (Bits(16) != (length ^ 0xFFFF) || IsPastEnd)
            return false;
        for (var i = 0; i < length && _output.Count < _maxOutput; i++)
        {
            var value = Bits(8);
            if (IsPastEnd)
                return false;
            _output.Add((byte)value);
        }

        return true;
    }

    private bool TryDynamic()
    {
        var literals = Bits(5) + 257;
        var distances = Bits(5) + 1;
        var given = Bits(4) + 4;
        if (literals > 286 || distances > 30)
            return false;
        var codeLengths = new int[19];
        for (var i = 0; i < given; i++)
            codeLengths[Order[i]] = Bits(3);
        _hasNoCodes = codeLengths.All(static length => length == 0);
        if (Code.Create(codeLengths, allowsOne: false) is not { } codes)
            return false;
        var lengths = new List<int>();
        while (lengths.Count < literals + distances)
        {
            var symbol = Symbol(codes);
            if (symbol < 0 || IsPastEnd || (symbol == 16 && lengths.Count == 0))
                return false;
            if (symbol < 16)
                lengths.Add(symbol);
            else if (symbol == 16)
                lengths.AddRange(Enumerable.Repeat(lengths[^1], 3 + Bits(2)));
            else
                lengths.AddRange(Enumerable.Repeat(0, symbol == 17 ? 3 + Bits(3) : 11 + Bits(7)));
        }

        return lengths.Count == literals + distances && !IsPastEnd && lengths[256] != 0
            && Code.Create([.. lengths.Take(literals)]) is { } literalCodes && Code.Create([.. lengths.Skip(literals)]) is { } distanceCodes
            && TrySymbols(literalCodes, distanceCodes);
    }

    private bool TrySymbols(Code literals, Code distances)
    {
        while (_output.Count < _maxOutput)
        {
            var symbol = Symbol(literals);
            if (symbol < 0 || symbol > 285 || IsPastEnd)
                return false;
            if (symbol == 256)
                return true;
            if (symbol < 256)
            {
                _output.Add((byte)symbol);
                continue;
            }

            var length = LengthBase[symbol - 257] + Bits(LengthExtra[symbol - 257]);
            symbol = Symbol(distances);
            if (symbol is < 0 or > 29)
                return false;
            var extra = Math.Max(0, symbol / 2 - 1);
            var distance = (symbol < 4 ? symbol : (2 + symbol % 2) << extra) + 1 + Bits(extra);
            if (IsPastEnd || distance > _output.Count || distance > 1 << windowBits)
                return false;
            for (var i = 0; i < length; i++)
                _output.Add(_output[^distance]);
        }

        return true;
    }

    private int Symbol(Code code)
    {
        var (value, first, index) = (0, 0, 0);
        for (var length = 1; length <= 15; length++)
        {
            value |= Bits(1);
            var count = code.Counts[length];
            if (value - first < count)
                return code.Symbols[index + value - first];
            index += count;
            first = first + count << 1;
            value <<= 1;
        }

        return -1;
    }

    /// <summary>A canonical code: how many codes there are of each length, and their symbols in order.</summary>
    private sealed record Code(int[] Counts, int[] Symbols)
    {
        /// <summary>Makes a code; null where the lengths are none: too many, or (RFC 1951 §3.2.7) too few, but for a single one.</summary>
        public static Code? Create(int[] lengths, bool allowsOne = true)
        {
            var counts = new int[16];
            foreach (var length in lengths)
                counts[length]++;
            counts[0] = 0;
            var used = 0;
            for (var length = 1; length <= 15; length++)
            {
                used = 2 * used + counts[length];
                if (used > 1 << length)
                    return null;
            }

            var total = counts.Sum();
            if (used < 1 << 15 && !(allowsOne && (total == 0 || (total == 1 && counts[1] == 1))))
                return null;
            return new Code(counts, [.. Enumerable.Range(0, lengths.Length).Where(symbol => lengths[symbol] > 0).OrderBy(symbol => lengths[symbol])]);
        }
    }
}
