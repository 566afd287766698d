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
    static abstract TVector Load(ref byte start, nuint offset);

    static abstract TVector Or(TVector left, TVector right);

    static abstract bool IsAscii(TVector block);

    static abstract bool IsZero(TVector errors);

    /// <summary>Adds the errors at the bytes of <paramref name="block"/>, which lies at <paramref name="offset"/>, at least 3.</summary>
    static abstract TVector AddErrors(TVector errors, ref byte start, nuint offset, TVector block);
}

internal readonly struct Vector128Kernel : IUtf8Kernel<Vector128<byte>>
{
    public static Vector128<byte> Load(ref byte start, nuint offset) => Vector128.LoadUnsafe(ref start, offset);

    public static Vector128<byte> Or(Vector128<byte> left, Vector128<byte> right) => left | right;

    public static bool IsAscii(Vector128<byte> block) => block.ExtractMostSignificantBits() == 0;

    public static bool IsZero(Vector128<byte> errors) => errors == Vector128<byte>.Zero;

    public static Vector128<byte> AddErrors(Vector128<byte> errors, ref byte start, nuint offset, Vector128<byte> block) =>
        errors | GetErrors(block, Load(ref start, offset - 1), Load(ref start, offset - 2), Load(ref start, offset - 3));

    /// <summary>Gets the errors at the bytes of a block that follows <paramref name="previous"/>.</summary>
    internal static Vector128<byte> GetErrors(Vector128<byte> block, Vector128<byte> previous) =>
        GetErrors(block, From(previous, block, 15), From(previous, block, 14), From(previous, block, 13));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> GetErrors(Vector128<byte> block, Vector128<byte> back1, Vector128<byte> back2, Vector128<byte> back3)
    {
        var admitted = Vector128.ShuffleNative(Utf8Lookup.FirstHigh, back1 >>> 4)
            & Vector128.ShuffleNative(Utf8Lookup.FirstLow, back1 & Vector128.Create((byte)0x0F))
            & Vector128.ShuffleNative(Utf8Lookup.SecondHigh, block >>> 4);
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

internal readonly struct Vector256Kernel : IUtf8Kernel<Vector256<byte>>
{
    public static bool IsSupported => Avx2.IsSupported;

    public static Vector256<byte> Load(ref byte start, nuint offset) => Vector256.LoadUnsafe(ref start, offset);

    public static Vector256<byte> Or(Vector256<byte> left, Vector256<byte> right) => left | right;

    public static bool IsAscii(Vector256<byte> block) => block.ExtractMostSignificantBits() == 0;

    public static bool IsZero(Vector256<byte> errors) => errors == Vector256<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> AddErrors(Vector256<byte> errors, ref byte start, nuint offset, Vector256<byte> block)
    {
        var back1 = Load(ref start, offset - 1);
        var admitted = Avx2.Shuffle(Vector256.Create(Utf8Lookup.FirstHigh), back1 >>> 4)
            & Avx2.Shuffle(Vector256.Create(Utf8Lookup.FirstLow), back1 & Vector256.Create((byte)0x0F))
            & Avx2.Shuffle(Vector256.Create(Utf8Lookup.SecondHigh), block >>> 4);
        var due = Vector256.SubtractSaturate(Load(ref start, offset - 2), Vector256.Create(Utf8Lookup.BelowThreeByteLead))
            | Vector256.SubtractSaturate(Load(ref start, offset - 3), Vector256.Create(Utf8Lookup.BelowFourByteLead));
        return errors | ((due & Vector256.Create((byte)0x80)) ^ admitted);
    }
}

internal readonly struct Vector512Kernel : IUtf8Kernel<Vector512<byte>>
{
    public static bool IsSupported => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    public static Vector512<byte> Load(ref byte start, nuint offset) => Vector512.LoadUnsafe(ref start, offset);

    public static Vector512<byte> Or(Vector512<byte> left, Vector512<byte> right) => left | right;

    public static bool IsAscii(Vector512<byte> block) => block.ExtractMostSignificantBits() == 0;

    public static bool IsZero(Vector512<byte> errors) => errors == Vector512<byte>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> AddErrors(Vector512<byte> errors, ref byte start, nuint offset, Vector512<byte> block)
    {
        var back1 = Load(ref start, offset - 1);
        var admitted = Avx512BW.Shuffle(Vector512.Create(Utf8Lookup.FirstHigh), back1 >>> 4)
            & Avx512BW.Shuffle(Vector512.Create(Utf8Lookup.FirstLow), back1 & Vector512.Create((byte)0x0F))
            & Avx512BW.Shuffle(Vector512.Create(Utf8Lookup.SecondHigh), block >>> 4);
        var due = Vector512.SubtractSaturate(Load(ref start, offset - 2), Vector512.Create(Utf8Lookup.BelowThreeByteLead))
            | Vector512.SubtractSaturate(Load(ref start, offset - 3), Vector512.Create(Utf8Lookup.BelowFourByteLead));
        return errors | ((due & Vector512.Create((byte)0x80)) ^ admitted);
    }
}
