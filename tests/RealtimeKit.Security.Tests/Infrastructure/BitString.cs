namespace RealtimeKit.Security.Tests;

/// <summary>A deflate stream, written bit by bit (RFC 1951): in order or not.</summary>
internal sealed class BitString
{
    // RFC 1951 §3.2.7: the order in which the lengths of the code length codes stand.
    private static ReadOnlySpan<int> Order => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly List<byte> _bytes = [];

    public int Length { get; private set; }

    /// <summary>A number, its lowest bit first (RFC 1951 §3.1.1).</summary>
    public BitString Add(int value, int count)
    {
        for (var i = 0; i < count; i++, Length++)
        {
            if (Length % 8 == 0)
                _bytes.Add(0);
            _bytes[^1] |= (byte)(((value >> i) & 1) << (Length % 8));
        }

        return this;
    }

    /// <summary>A Huffman code, its highest bit first (RFC 1951 §3.1.1), as a string of 0 and 1.</summary>
    public BitString Code(string bits)
    {
        foreach (var bit in bits)
            Add(bit - '0', 1);
        return this;
    }

    /// <summary>The beginning of a block: not the last one, with this type.</summary>
    public BitString Block(int type) => Add(0, 1).Add(type, 2);

    /// <summary>The beginning of a dynamic block: so many literal and length codes, so many distance codes, and the lengths of the codes for lengths.</summary>
    public BitString DynamicBlock(int literals, int distances, params (int Symbol, int Length)[] lengths)
    {
        Block(2).Add(literals - 257, 5).Add(distances - 1, 5).Add(Order.Length - 4, 4);
        foreach (var symbol in Order)
            Add(lengths.FirstOrDefault(pair => pair.Symbol == symbol).Length, 3);
        return this;
    }

    /// <summary>RFC 1951 §3.2.7: a code for one literal, for end-of-block and for a distance, and nothing but end-of-block.</summary>
    public BitString AddEmptyDynamicBlock() =>
        DynamicBlock(257, 1, (1, 1), (18, 1)).Code("0").Code("1").Add(138 - 11, 7).Code("1").Add(117 - 11, 7).Code("0").Code("0").Code("1");

    public byte[] ToArray() => [.. _bytes];
}
