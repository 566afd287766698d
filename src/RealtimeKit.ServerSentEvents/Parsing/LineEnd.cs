using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.ServerSentEvents;

/// <summary>Finds the CR or LF that ends a line, 64 bytes at a time where the machine can.</summary>
internal static class LineEnd
{
    /// <summary>How many bytes <see cref="GetMask"/> looks at.</summary>
    public const int WindowLength = 64;

    /// <summary>A bit for each of 64 bytes, set for CR and LF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetMask(ref byte start) => Mask(Vector512.LoadUnsafe(ref start));

    /// <summary>The index of the first CR or LF, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexOf(ReadOnlySpan<byte> bytes)
    {
        // Most lines of most streams are short: one wide compare at the call site settles them.
        if (Vector512.IsHardwareAccelerated && bytes.Length >= Vector512<byte>.Count)
        {
            var mask = Mask(Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(bytes)));
            return mask != 0 ? BitOperations.TrailingZeroCount(mask) : IndexOfLong(bytes);
        }

        if (Vector256.IsHardwareAccelerated && bytes.Length >= Vector256<byte>.Count)
        {
            var mask = Mask(Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(bytes)));
            return mask != 0 ? BitOperations.TrailingZeroCount(mask) : bytes.IndexOfAny((byte)'\r', (byte)'\n');
        }

        return bytes.IndexOfAny((byte)'\r', (byte)'\n');
    }

    /// <summary>
    /// Copies up to the first CR or LF, the source's end or the destination's, and returns how many bytes. One pass: what is looked at
    /// is copied from the register that it is in. Bytes of the destination behind the count may be overwritten.
    /// </summary>
    public static int CopyUntil(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var length = Math.Min(source.Length, destination.Length);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var position = 0;
        for (; position <= length - (2 * WindowLength); position += 2 * WindowLength)
        {
            var first = Vector512.LoadUnsafe(ref from, (nuint)position);
            var second = Vector512.LoadUnsafe(ref from, (nuint)position + WindowLength);
            first.StoreUnsafe(ref to, (nuint)position);
            second.StoreUnsafe(ref to, (nuint)position + WindowLength);
            var mask = Mask(first);
            if (mask != 0)
                return position + BitOperations.TrailingZeroCount(mask);
            mask = Mask(second);
            if (mask != 0)
                return position + WindowLength + BitOperations.TrailingZeroCount(mask);
        }

        var rest = source[position..length];
        var end = IndexOf(rest);
        if (end >= 0)
            rest = rest[..end];
        rest.CopyTo(destination[position..]);
        return position + rest.Length;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int IndexOfLong(ReadOnlySpan<byte> bytes)
    {
        ref var start = ref MemoryMarshal.GetReference(bytes);
        var position = Vector512<byte>.Count;

        // Four loads a turn, one branch: the loop then runs at the speed of the cache.
        for (; position <= bytes.Length - (4 * Vector512<byte>.Count); position += 4 * Vector512<byte>.Count)
        {
            var first = Vector512.LoadUnsafe(ref start, (nuint)position);
            var second = Vector512.LoadUnsafe(ref start, (nuint)position + 64);
            var third = Vector512.LoadUnsafe(ref start, (nuint)position + 128);
            var fourth = Vector512.LoadUnsafe(ref start, (nuint)position + 192);
            if ((Mask(first) | Mask(second) | Mask(third) | Mask(fourth)) != 0)
                break;
        }

        for (; position <= bytes.Length - Vector512<byte>.Count; position += Vector512<byte>.Count)
        {
            var mask = Mask(Vector512.LoadUnsafe(ref start, (nuint)position));
            if (mask != 0)
                return position + BitOperations.TrailingZeroCount(mask);
        }

        if (position == bytes.Length)
            return -1;

        // The rest overlaps bytes that are known to hold no line end.
        position = bytes.Length - Vector512<byte>.Count;
        var rest = Mask(Vector512.LoadUnsafe(ref start, (nuint)position));
        return rest != 0 ? position + BitOperations.TrailingZeroCount(rest) : -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mask(Vector512<byte> bytes) =>
        (Vector512.Equals(bytes, Vector512.Create((byte)'\n')) | Vector512.Equals(bytes, Vector512.Create((byte)'\r'))).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mask(Vector256<byte> bytes) =>
        (Vector256.Equals(bytes, Vector256.Create((byte)'\n')) | Vector256.Equals(bytes, Vector256.Create((byte)'\r'))).ExtractMostSignificantBits();
}
