using System.Numerics;

namespace RealtimeKit.WebSockets;

/// <summary>The alphabets of DEFLATE: how lengths and distances map to symbols and extra bits (RFC 1951 §3.2.5–3.2.7).</summary>
internal static class DeflateSymbols
{
    public const int MinMatch = 3;
    public const int MaxMatch = 258;
    public const int MaxDistance = 32768;

    public const int EndOfBlock = 256;
    public const int FirstLength = 257;
    public const int LiteralCount = 286;         // literals, the end of a block, 29 lengths
    public const int DistanceCount = 30;
    public const int CodeLengthCount = 19;
    public const int FixedLiteralCount = 288;    // the fixed code has two symbols that never occur
    public const int FixedDistanceCount = 32;
    public const int MaxCodeBits = 15;
    public const int MaxCodeLengthBits = 7;

    // RFC 1951 §3.2.7: in a dynamic block's header 16 repeats the last length 3–6 times, 17 and 18 repeat zero 3–10 and 11–138 times.
    public const int RepeatLast = 16;
    public const int RepeatZeroShort = 17;
    public const int RepeatZeroLong = 18;

    /// <summary>The shortest match of each length symbol.</summary>
    public static readonly ushort[] LengthBase =
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    /// <summary>The extra bits of each length symbol.</summary>
    public static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    /// <summary>The shortest distance of each distance symbol.</summary>
    public static readonly ushort[] DistanceBase =
        [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];

    /// <summary>The extra bits of each distance symbol.</summary>
    public static ReadOnlySpan<byte> DistanceExtraBits =>
        [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

    /// <summary>The order in which a dynamic block's header gives the lengths of the code length code.</summary>
    public static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>The length symbol of each match length, less 257; indexed by the length less 3.</summary>
    public static readonly byte[] LengthSymbols = CreateLengthSymbols();

    /// <summary>The distance symbol of a distance: the position of its highest bit, and the bit below that.</summary>
    public static int DistanceSymbol(int distance)
    {
        var value = (uint)distance - 1;
        if (value < 4)
            return (int)value;
        var high = BitOperations.Log2(value);
        return (2 * high) + (int)(value >> (high - 1) & 1);
    }

    /// <summary>The lengths of the fixed literal code (RFC 1951 §3.2.6).</summary>
    public static void FillFixedLiteralLengths(Span<byte> lengths)
    {
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..FixedLiteralCount].Fill(8);
    }

    private static byte[] CreateLengthSymbols()
    {
        var symbols = new byte[MaxMatch - MinMatch + 1];
        for (var symbol = 0; symbol < LengthBase.Length; symbol++)
            symbols.AsSpan(LengthBase[symbol] - MinMatch).Fill((byte)symbol);
        return symbols;
    }
}
