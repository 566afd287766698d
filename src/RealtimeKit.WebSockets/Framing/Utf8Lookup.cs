using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The lookup algorithm of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2020). Three tables, indexed by
/// the nibbles of a byte and of the one before it, give the errors that each nibble admits; an error that all three admit has happened.
/// </summary>
/// <remarks>
/// The bytes one, two and three places back are loaded from memory instead of shuffled together, which needs no lane crossing and lets
/// the last vector overlap the one before it.
/// </remarks>
internal static class Utf8Lookup
{
    // What may be wrong with two neighbouring bytes. The last two share a bit: the tables keep them apart.
    private const byte TooShort = 1 << 0;            // a lead byte is not followed by a continuation byte
    private const byte TooLong = 1 << 1;             // a continuation byte follows ASCII
    private const byte Overlong3 = 1 << 2;           // E0 80–9F
    private const byte TooLarge = 1 << 3;            // F4 90–BF, F5–FF 80–BF
    private const byte Surrogate = 1 << 4;           // ED A0–BF
    private const byte Overlong2 = 1 << 5;           // C0–C1 80–BF
    private const byte TooLargeOrOverlong4 = 1 << 6; // F5–FF 80–8F, F0 80–8F
    private const byte TwoContinuations = 1 << 7;    // an error unless a lead byte two or three places back asks for it
    private const byte AnyLow = TooShort | TooLong | TwoContinuations;

    /// <summary>What the high nibble of the first byte admits.</summary>
    internal static Vector128<byte> FirstHigh => Vector128.Create(
        TooLong, TooLong, TooLong, TooLong, TooLong, TooLong, TooLong, TooLong,
        TwoContinuations, TwoContinuations, TwoContinuations, TwoContinuations,
        TooShort | Overlong2,
        TooShort,
        TooShort | Overlong3 | Surrogate,
        TooShort | TooLarge | TooLargeOrOverlong4);

    /// <summary>What the low nibble of the first byte admits.</summary>
    internal static Vector128<byte> FirstLow => Vector128.Create(
        AnyLow | Overlong2 | Overlong3 | TooLargeOrOverlong4,
        AnyLow | Overlong2,
        AnyLow,
        AnyLow,
        AnyLow | TooLarge,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4 | Surrogate,
        AnyLow | TooLarge | TooLargeOrOverlong4,
        AnyLow | TooLarge | TooLargeOrOverlong4);

    /// <summary>What the high nibble of the second byte admits.</summary>
    internal static Vector128<byte> SecondHigh => Vector128.Create(
        TooShort, TooShort, TooShort, TooShort, TooShort, TooShort, TooShort, TooShort,
        TooLong | Overlong2 | TwoContinuations | Overlong3 | TooLargeOrOverlong4,
        TooLong | Overlong2 | TwoContinuations | Overlong3 | TooLarge,
        TooLong | Overlong2 | TwoContinuations | Surrogate | TooLarge,
        TooLong | Overlong2 | TwoContinuations | Surrogate | TooLarge,
        TooShort, TooShort, TooShort, TooShort);

    // Subtracted with saturation from the bytes two and three places back, these leave bit 7 where a further continuation byte is due.
    internal const byte BelowThreeByteLead = 0xE0 - 0x80;
    internal const byte BelowFourByteLead = 0xF0 - 0x80;

    /// <summary>
    /// Tells whether no two, three or four neighbouring bytes are wrong. A character that lacks bytes at the end of
    /// <paramref name="text"/> is not seen here.
    /// </summary>
    /// <param name="text">A text from a character's first byte on.</param>
    /// <returns>False if the text is wrong.</returns>
    internal static bool HasNoError(ReadOnlySpan<byte> text)
    {
        ref var start = ref MemoryMarshal.GetReference(text);
        var length = (nuint)text.Length;
        if (length < 16)
            return HasNoErrorShort(ref start, (int)length);
        if (length >= 64 && Utf8Kernel512.IsSupported)
            return HasNoError<Utf8Kernel512, Vector512<byte>>(ref start, length);
        return length >= 32 && Utf8Kernel256.IsSupported
            ? HasNoError<Utf8Kernel256, Vector256<byte>>(ref start, length)
            : HasNoError<Utf8Kernel128, Vector128<byte>>(ref start, length);
    }

    private static bool HasNoErrorShort(ref byte start, int length)
    {
        var (low, high) = LoadUpTo15(ref start, length);
        if (((low | high) & 0x8080808080808080) == 0)
            return true;

        // Past the end stand zeros: what they make of an unfinished character is masked off.
        var errors = Utf8Kernel128.GetErrors(Vector128.Create(low, high).AsByte(), Vector128<byte>.Zero);
        return (ErrorBits(errors) & ((1u << length) - 1)) == 0;
    }

    /// <summary>Passes over ASCII at the beginning, most texts being nothing else.</summary>
    private static bool HasNoError<TKernel, TVector>(ref byte start, nuint length)
        where TKernel : IUtf8Kernel<TVector>
        where TVector : struct
    {
        var width = (nuint)Unsafe.SizeOf<TVector>();
        nuint i = 0;
        while (i + 4 * width <= length && TKernel.IsAscii(ref start, i, 4))
            i += 4 * width;
        while (i + width <= length)
        {
            if (!TKernel.IsAscii(ref start, i, 1))
                return HasNoErrorFrom<TKernel, TVector>(ref start, i, length);
            i += width;
        }

        return i == length || TKernel.IsAscii(ref start, length - width, 1) || HasNoErrorFrom<TKernel, TVector>(ref start, i, length);
    }

    private static bool HasNoErrorFrom<TKernel, TVector>(ref byte start, nuint i, nuint length)
        where TKernel : IUtf8Kernel<TVector>
        where TVector : struct
    {
        var width = (nuint)Unsafe.SizeOf<TVector>();
        if (i == 0)
        {
            // Nothing lies before the first bytes, which only the head can do without.
            if (Utf8Kernel128.GetErrors(Vector128.LoadUnsafe(ref start), Vector128<byte>.Zero) != Vector128<byte>.Zero)
                return false;
            i = 16;
        }

        // The last vector looks three bytes back, which must not lie before the text.
        if (length < width + 3)
            return HasNoErrorNear(ref start, i, length);

        var firstHigh = TKernel.Repeat(FirstHigh);
        var firstLow = TKernel.Repeat(FirstLow);
        var secondHigh = TKernel.Repeat(SecondHigh);
        var errors = default(TVector);
        while (i + 4 * width <= length)
        {
            // ASCII in the midst of other text is not worth a branch that goes either way; a long run of it is.
            var end = i + 4 * width;
            for (; i < end; i += width)
                errors = TKernel.Or(errors, TKernel.GetErrors(ref start, i, firstHigh, firstLow, secondHigh));
            while (i + 4 * width <= length && TKernel.IsAscii(ref start, i, 4) && !EndsOpen(ref start, i))
                i += 4 * width;
        }

        for (; i + width <= length; i += width)
            errors = TKernel.Or(errors, TKernel.GetErrors(ref start, i, firstHigh, firstLow, secondHigh));
        errors = TKernel.Or(errors, TKernel.GetErrors(ref start, length - width, firstHigh, firstLow, secondHigh));
        return TKernel.IsZero(errors);
    }

    // The rest is less than one vector and three bytes: sixteen at a time, each with the sixteen before them.
    private static bool HasNoErrorNear(ref byte start, nuint i, nuint length)
    {
        for (; i + 16 <= length; i += 16)
        {
            if (Utf8Kernel128.GetErrors(Vector128.LoadUnsafe(ref start, i), Vector128.LoadUnsafe(ref start, i - 16)) != Vector128<byte>.Zero)
                return false;
        }

        if (i == length)
            return true;
        var count = (int)(length - i);
        var (low, high) = LoadUpTo15(ref Unsafe.AddByteOffset(ref start, i), count);
        var errors = Utf8Kernel128.GetErrors(Vector128.Create(low, high).AsByte(), Vector128.LoadUnsafe(ref start, i - 16));
        return (ErrorBits(errors) & ((1u << count) - 1)) == 0;
    }

    // Whether one of the three bytes before the offset begins a character that reaches beyond it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool EndsOpen(ref byte start, nuint offset) =>
        Unsafe.AddByteOffset(ref start, offset - 1) >= 0xC0
        || Unsafe.AddByteOffset(ref start, offset - 2) >= 0xE0
        || Unsafe.AddByteOffset(ref start, offset - 3) >= 0xF0;

    private static uint ErrorBits(Vector128<byte> errors) => ~Vector128.Equals(errors, Vector128<byte>.Zero).ExtractMostSignificantBits();

    // The bytes as sixteen lie in memory, zeros after them. Loads that overlap are put in their places, where they agree.
    private static (ulong Low, ulong High) LoadUpTo15(ref byte start, int length)
    {
        if (!BitConverter.IsLittleEndian)
        {
            Span<byte> padded = stackalloc byte[16];
            padded.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref start, length).CopyTo(padded);
            return (MemoryMarshal.Read<ulong>(padded), MemoryMarshal.Read<ulong>(padded[8..]));
        }

        if (length > 8)
            return (Load<ulong>(ref start, 0), Load<ulong>(ref start, length - 8) >> (8 * (16 - length)));
        if (length >= 4)
            return (Load<uint>(ref start, 0) | ((ulong)Load<uint>(ref start, length - 4) << (8 * (length - 4))), 0);
        if (length == 0)
            return (0, 0);
        var (middle, last) = (length >> 1, length - 1);
        return (start | (uint)(Load<byte>(ref start, middle) << (8 * middle)) | (uint)(Load<byte>(ref start, last) << (8 * last)), 0);
    }

    private static T Load<T>(ref byte start, int offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref start, offset));
}
