namespace RealtimeKit.WebSockets.Tests.Compression;

/// <summary>
/// RFC 1951 read bit by bit, slowly and plainly, for one direction of a connection. It keeps no more than the window, so that a match
/// which reaches further back than agreed fails, wherever the output happens to lie.
/// </summary>
internal sealed class ReferenceInflater(int windowBits, bool takesOver)
{
    private static readonly int[] LengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static readonly int[] LengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly int[] Order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly Queue<byte> _window = new();
    private readonly List<byte> _output = [];
    private byte[] _input = [];
    private int _bit;

    /// <summary>The furthest that any match has reached back.</summary>
    public int LongestDistance { get; private set; }

    /// <summary>Inflates one message.</summary>
    /// <exception cref="InvalidDataException">The payload is not one, or looks further back than the window.</exception>
    public byte[] Inflate(ReadOnlySpan<byte> payload)
    {
        _input = [.. payload, 0, 0, 0xFF, 0xFF];
        _bit = 0;
        _output.Clear();
        if (!takesOver)
            _window.Clear();
        while (_bit < _input.Length * 8)
        {
            var isFinal = Bits(1) == 1;
            switch (Bits(2))
            {
                case 0:
                    Stored();
                    break;
                case 1:
                    Symbols(Fixed(), [.. Enumerable.Repeat(5, 32)]);
                    break;
                case 2:
                    Dynamic();
                    break;
                default:
                    throw new InvalidDataException("block type 3");
            }

            if (isFinal)
                _bit = (_bit + 7) / 8 * 8;
        }

        return [.. _output];
    }

    private int Bits(int count)
    {
        var value = 0;
        for (var i = 0; i < count; i++, _bit++)
        {
            if (_bit >= _input.Length * 8)
                throw new InvalidDataException("truncated");
            value |= (_input[_bit / 8] >> _bit % 8 & 1) << i;
        }

        return value;
    }

    private void Put(byte value)
    {
        _output.Add(value);
        _window.Enqueue(value);
        if (_window.Count > 1 << windowBits)
            _window.Dequeue();
    }

    private void Stored()
    {
        _bit = (_bit + 7) / 8 * 8;
        var length = Bits(16);
        if (Bits(16) != (length ^ 0xFFFF))
            throw new InvalidDataException("stored length");
        for (var i = 0; i < length; i++)
            Put((byte)Bits(8));
    }

    private static int[] Fixed() =>
        [.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)];

    private void Dynamic()
    {
        var literals = Bits(5) + 257;
        var distances = Bits(5) + 1;
        var given = Bits(4) + 4;
        var codeLengths = new int[19];
        for (var i = 0; i < given; i++)
            codeLengths[Order[i]] = Bits(3);
        var lengths = new List<int>();
        while (lengths.Count < literals + distances)
        {
            var symbol = Symbol(codeLengths);
            if (symbol < 16)
                lengths.Add(symbol);
            else if (symbol == 16)
                lengths.AddRange(Enumerable.Repeat(lengths[^1], 3 + Bits(2)));
            else
                lengths.AddRange(Enumerable.Repeat(0, symbol == 17 ? 3 + Bits(3) : 11 + Bits(7)));
        }

        if (lengths.Count != literals + distances)
            throw new InvalidDataException("too many lengths");
        Symbols([.. lengths.Take(literals)], [.. lengths.Skip(literals)]);
    }

    private void Symbols(int[] literalLengths, int[] distanceLengths)
    {
        var literals = Codes(literalLengths);
        var distances = Codes(distanceLengths);
        while (true)
        {
            var symbol = Symbol(literals);
            if (symbol == 256)
                return;
            if (symbol < 256)
            {
                Put((byte)symbol);
                continue;
            }

            if (symbol > 285)
                throw new InvalidDataException("length symbol");
            var length = LengthBase[symbol - 257] + Bits(LengthExtra[symbol - 257]);
            symbol = Symbol(distances);
            if (symbol > 29)
                throw new InvalidDataException("distance symbol");
            var extra = Math.Max(0, symbol / 2 - 1);
            var distance = (symbol < 4 ? symbol : (2 + symbol % 2) << extra) + 1 + Bits(extra);
            LongestDistance = Math.Max(LongestDistance, distance);
            if (distance > _window.Count)
                throw new InvalidDataException($"a match reaches back {distance} bytes, the window holds {_window.Count}");
            var window = _window.ToArray();
            for (var i = 0; i < length; i++)
                Put(window[window.Length - distance + i % distance]);
        }
    }

    private int Symbol(int[] lengths) => Symbol(Codes(lengths));

    private int Symbol(Dictionary<(int Length, int Code), int> codes)
    {
        var code = 0;
        for (var length = 1; length <= 15; length++)
        {
            code = code << 1 | Bits(1);
            if (codes.TryGetValue((length, code), out var symbol))
                return symbol;
        }

        throw new InvalidDataException("no such code");
    }

    private static Dictionary<(int Length, int Code), int> Codes(int[] lengths)
    {
        var codes = new Dictionary<(int, int), int>();
        var code = 0;
        for (var length = 1; length <= 15; length++, code <<= 1)
            for (var symbol = 0; symbol < lengths.Length; symbol++)
                if (lengths[symbol] == length)
                    codes.Add((length, code++), symbol);
        return codes;
    }
}
