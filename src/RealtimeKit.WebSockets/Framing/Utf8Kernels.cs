using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace RealtimeKit.WebSockets;

/// <summary>The operations of <see cref="Utf8Lookup"/> on one width of vector.</summary>
/// <typeparam name="TVector">The vector of bytes.</typeparam>
internal interface IUtf8Kernel<TVector>
    where TVector : struct
{
    /// <summary>Repeats a table of sixteen bytes, or a byte, over the vector.</summary>
    static abstract TVector Repeat(Vector128<byte> sixteen);

    /// <summary>Tells whether the vectors at the offset, as many as <paramref name="count"/>, hold bytes below 0x80 only.</summary>
    static abstract bool IsAscii(ref byte start, nuint offset, [ConstantExpected] int count);

    /// <summary>Tells whether there is an error.</summary>
    static abstract bool IsZero(TVector errors);

    /// <summary>Gets the errors at the bytes of one vector at the offset, which is at least 3.</summary>
    static abstract TVector GetErrors(ref byte start, nuint offset, TVector firstHigh, TVector firstLow, TVector secondHigh);

    /// <summary>Joins errors.</summary>
    static abstract TVector Or(TVector left, TVector right);
}

internal readonly struct Utf8Kernel128 : IUtf8Kernel<Vector128<byte>>
{
    public static Vector128<byte> Repeat(Vector128<byte> sixteen) => sixteen;

    public static bool IsZero(Vector128<byte> errors) => errors == Vector128<byte>.Zero;

    public static Vector128<byte> Or(Vector128<byte> left, Vector128<byte> right) => left | right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAscii(ref byte start, nuint offset, [ConstantExpected] int count)
    {
        var bytes = Vector128.LoadUnsafe(ref start, offset);
        if (count == 4)
            bytes = bytes | Vector128.LoadUnsafe(ref start, offset + 16) | Vector128.LoadUnsafe(ref start, offset + 32) | Vector128.LoadUnsafe(ref start, offset + 48);
        return bytes.ExtractMostSignificantBits() == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> GetErrors(ref byte start, nuint offset, Vector128<byte> firstHigh, Vector128<byte> firstLow, Vector128<byte> secondHigh)
    {
        var block = Vector128.LoadUnsafe(ref start, offset);
        var back1 = Vector128.LoadUnsafe(ref start, offset - 1);
        var back2 = Vector128.LoadUnsafe(ref start, offset - 2);
        var back3 = Vector128.LoadUnsafe(ref start, offset - 3);
        return GetErrors(block, back1, back2, back3, firstHigh, firstLow, secondHigh);
    }

    /// <summary>Gets the errors at the bytes of a block that follows <paramref name="previous"/>.</summary>
    internal static Vector128<byte> GetErrors(Vector128<byte> block, Vector128<byte> previous) => GetErrors(
        block, From(previous, block, 15), From(previous, block, 14), From(previous, block, 13), Utf8Lookup.FirstHigh, Utf8Lookup.FirstLow, Utf8Lookup.SecondHigh);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> GetErrors(
        Vector128<byte> block, Vector128<byte> back1, Vector128<byte> back2, Vector128<byte> back3,
        Vector128<byte> firstHigh, Vector128<byte> firstLow, Vector128<byte> secondHigh)
    {
        var admitted = Vector128.ShuffleNative(firstHigh, back1 >>> 4)
            & Vector128.ShuffleNative(firstLow, back1 & Vector128.Create((byte)0x0F))
            & Vector128.ShuffleNative(secondHigh, block >>> 4);
        var due = Vector128.SubtractSaturate(back2, Vector128.Create(Utf8Lookup.BelowThreeByteLead))
            | Vector128.SubtractSaturate(back3, Vector128.Create(Utf8Lookup.BelowFourByteLead));
        return (due & Vector128.Create((byte)0x80)) ^ admitted;
    }

    // Sixteen bytes out of the thirty-two, beginning with the one at the index.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> From(Vector128<byte> first, Vector128<byte> second, [ConstantExpected(Max = (byte)15)] byte index)
    {
        if (Ssse3.IsSupported)
            return Ssse3.AlignRight(second, first, index);
        if (AdvSimd.IsSupported)
            return AdvSimd.ExtractVector128(first, second, index);

        var taken = Vector128<byte>.Zero;
        for (var i = 0; i < 16; i++)
            taken = taken.WithElement(i, index + i < 16 ? first[index + i] : second[index + i - 16]);
        return taken;
    }
}

internal readonly struct Utf8Kernel256 : IUtf8Kernel<Vector256<byte>>
{
    public static bool IsSupported => Avx2.IsSupported;

    public static Vector256<byte> Repeat(Vector128<byte> sixteen) => Vector256.Create(sixteen);

    public static bool IsZero(Vector256<byte> errors) => errors == Vector256<byte>.Zero;

    public static Vector256<byte> Or(Vector256<byte> left, Vector256<byte> right) => left | right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAscii(ref byte start, nuint offset, [ConstantExpected] int count)
    {
        var bytes = Vector256.LoadUnsafe(ref start, offset);
        if (count == 4)
            bytes = bytes | Vector256.LoadUnsafe(ref start, offset + 32) | Vector256.LoadUnsafe(ref start, offset + 64) | Vector256.LoadUnsafe(ref start, offset + 96);
        return bytes.ExtractMostSignificantBits() == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> GetErrors(ref byte start, nuint offset, Vector256<byte> firstHigh, Vector256<byte> firstLow, Vector256<byte> secondHigh)
    {
        var back1 = Vector256.LoadUnsafe(ref start, offset - 1);
        var admitted = Avx2.Shuffle(firstHigh, back1 >>> 4)
            & Avx2.Shuffle(firstLow, back1 & Vector256.Create((byte)0x0F))
            & Avx2.Shuffle(secondHigh, Vector256.LoadUnsafe(ref start, offset) >>> 4);
        var due = Avx2.SubtractSaturate(Vector256.LoadUnsafe(ref start, offset - 2), Vector256.Create(Utf8Lookup.BelowThreeByteLead))
            | Avx2.SubtractSaturate(Vector256.LoadUnsafe(ref start, offset - 3), Vector256.Create(Utf8Lookup.BelowFourByteLead));
        return (due & Vector256.Create((byte)0x80)) ^ admitted;
    }
}

internal readonly struct Utf8Kernel512 : IUtf8Kernel<Vector512<byte>>
{
    public static bool IsSupported => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    public static Vector512<byte> Repeat(Vector128<byte> sixteen) => Vector512.Create(sixteen);

    public static bool IsZero(Vector512<byte> errors) => errors == Vector512<byte>.Zero;

    public static Vector512<byte> Or(Vector512<byte> left, Vector512<byte> right) => left | right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAscii(ref byte start, nuint offset, [ConstantExpected] int count)
    {
        var bytes = Vector512.LoadUnsafe(ref start, offset);
        if (count == 4)
            bytes = bytes | Vector512.LoadUnsafe(ref start, offset + 64) | Vector512.LoadUnsafe(ref start, offset + 128) | Vector512.LoadUnsafe(ref start, offset + 192);
        return bytes.ExtractMostSignificantBits() == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> GetErrors(ref byte start, nuint offset, Vector512<byte> firstHigh, Vector512<byte> firstLow, Vector512<byte> secondHigh)
    {
        var back1 = Vector512.LoadUnsafe(ref start, offset - 1);
        var admitted = Avx512BW.Shuffle(firstHigh, back1 >>> 4)
            & Avx512BW.Shuffle(firstLow, back1 & Vector512.Create((byte)0x0F))
            & Avx512BW.Shuffle(secondHigh, Vector512.LoadUnsafe(ref start, offset) >>> 4);
        var due = Avx512BW.SubtractSaturate(Vector512.LoadUnsafe(ref start, offset - 2), Vector512.Create(Utf8Lookup.BelowThreeByteLead))
            | Avx512BW.SubtractSaturate(Vector512.LoadUnsafe(ref start, offset - 3), Vector512.Create(Utf8Lookup.BelowFourByteLead));
        return (due & Vector512.Create((byte)0x80)) ^ admitted;
    }
}
