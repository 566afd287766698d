using System.Buffers.Binary;
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
        if (length >= 16 + 64 && Vector512Kernel.IsSupported)
            return HasNoError<Vector512Kernel, Vector512<byte>>(ref start, length);
        if (length >= 16 + 32 && Vector256Kernel.IsSupported)
            return HasNoError<Vector256Kernel, Vector256<byte>>(ref start, length);
        return length >= 16 + 3
            ? HasNoError<Vector128Kernel, Vector128<byte>>(ref start, length)
            : HasNoErrorShort(ref start, length);
    }

    private static bool HasNoErrorShort(ref byte start, nuint length)
    {
        Vector128<byte> first;
        if (length >= 16)
        {
            first = Vector128.LoadUnsafe(ref start);
            if (length > 16)
            {
                // One or two more bytes: look at the last sixteen as well, and at those before them, zero where there are none.
                var last = Vector128.LoadUnsafe(ref start, length - 16);
                if ((first | last).ExtractMostSignificantBits() == 0)
                    return true;
                var next = length == 17
                    ? Vector128.CreateScalar(Unsafe.Add(ref start, 16))
                    : Vector128.CreateScalar(Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, 16))).AsByte();
                var nextErrors = Vector128Kernel.GetErrors(next, first);
                if ((ErrorBits(nextErrors) & ((1u << (int)(length - 16)) - 1)) != 0)
                    return false;
            }
        }
        else
        {
            first = LoadUpTo15(ref start, length);
        }

        // Past the end stand zeros: what they make of an unfinished character is masked off.
        return first.ExtractMostSignificantBits() == 0
            || (ErrorBits(Vector128Kernel.GetErrors(first, Vector128<byte>.Zero)) & (uint)((1ul << (int)Math.Min(length, 16)) - 1)) == 0;
    }

    private static uint ErrorBits(Vector128<byte> errors) => ~Vector128.Equals(errors, Vector128<byte>.Zero).ExtractMostSignificantBits();

    private static Vector128<byte> LoadUpTo15(ref byte start, nuint length)
    {
        if (length >= 8)
        {
            var low = Unsafe.ReadUnaligned<ulong>(ref start);
            var high = Unsafe.ReadUnaligned<ulong>(ref Unsafe.AddByteOffset(ref start, length - 8));
            return Vector128.Create(low, ShiftOut(high, 16 - length)).AsByte();
        }

        if (length >= 4)
        {
            var low = Unsafe.ReadUnaligned<uint>(ref start);
            var high = Unsafe.ReadUnaligned<uint>(ref Unsafe.AddByteOffset(ref start, length - 4));
            return Vector128.Create(low, ShiftOut(high, 8 - length), 0, 0).AsByte();
        }

        uint few = 0;
        for (nuint i = 0; i < length; i++)
            few |= (uint)Unsafe.AddByteOffset(ref start, i) << (8 * (int)i);
        return Vector128.CreateScalar(BitConverter.IsLittleEndian ? few : BinaryPrimitives.ReverseEndianness(few)).AsByte();
    }

    // Drops the bytes that come first in memory; zeros follow. A count of all eight gives zero.
    private static ulong ShiftOut(ulong value, nuint count) => count >= 8 ? 0
        : BitConverter.IsLittleEndian ? value >> (8 * (int)count) : value << (8 * (int)count);

    private static uint ShiftOut(uint value, nuint count) => count >= 4 ? 0
        : BitConverter.IsLittleEndian ? value >> (8 * (int)count) : value << (8 * (int)count);

    private static bool HasNoError<TKernel, TVector>(ref byte start, nuint length)
        where TKernel : IUtf8Kernel<TVector>
        where TVector : struct
    {
        var width = (nuint)Unsafe.SizeOf<TVector>();
        var head = Vector128.LoadUnsafe(ref start);
        var isOpen = head.ExtractMostSignificantBits() != 0;   // a character may reach beyond the bytes seen
        if (isOpen && Vector128Kernel.GetErrors(head, Vector128<byte>.Zero) != Vector128<byte>.Zero)
            return false;

        var errors = default(TVector);
        var last = length - width;
        nuint i = 16;
        for (; i + 4 * width <= length; i += 4 * width)
        {
            var a = TKernel.Load(ref start, i);
            var b = TKernel.Load(ref start, i + width);
            var c = TKernel.Load(ref start, i + 2 * width);
            var d = TKernel.Load(ref start, i + 3 * width);
            var isAscii = TKernel.IsAscii(TKernel.Or(TKernel.Or(a, b), TKernel.Or(c, d)));
            if (isAscii && !isOpen)
                continue;

            errors = TKernel.AddErrors(errors, ref start, i, a);
            if (!isAscii)
            {
                errors = TKernel.AddErrors(errors, ref start, i + width, b);
                errors = TKernel.AddErrors(errors, ref start, i + 2 * width, c);
                errors = TKernel.AddErrors(errors, ref start, i + 3 * width, d);
            }

            isOpen = !isAscii;
        }

        for (; i < last; i += width)
        {
            var block = TKernel.Load(ref start, i);
            var isAscii = TKernel.IsAscii(block);
            if (isOpen || !isAscii)
                errors = TKernel.AddErrors(errors, ref start, i, block);
            isOpen = !isAscii;
        }

        errors = TKernel.AddErrors(errors, ref start, last, TKernel.Load(ref start, last));
        return TKernel.IsZero(errors);
    }
}
