using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Masks and unmasks payload: byte i of the payload is XORed with byte i modulo 4 of the key (RFC 6455 §5.3), so that the same call
/// does both. Keys are <see cref="WebSocketFrameHeader.MaskingKey"/>.
/// </summary>
/// <remarks>
/// A payload may be treated in chunks of any size: each call returns the key for the byte that follows. Vectors as wide as the
/// machine's are used at any alignment and phase of the key; the odd bytes at the end are a second vector that overlaps the last one.
/// It is loaded before anything is stored, so that in place no byte is masked twice.
/// </remarks>
public static class WebSocketMask
{
    // From here on stores that never cross a cache line pay for finding its beginning.
    private const nuint WorthAligning = 2048;

    /// <summary>Masks or unmasks <paramref name="payload"/> in place.</summary>
    /// <param name="payload">The payload, or the next chunk of it.</param>
    /// <param name="maskingKey">The key of the frame, or what the call for the chunk before has returned.</param>
    /// <returns>The key for the chunk that follows.</returns>
    public static uint Apply(Span<byte> payload, uint maskingKey)
    {
        ref var start = ref MemoryMarshal.GetReference(payload);
        Xor(ref start, ref start, (nuint)payload.Length, maskingKey);
        return Rotate(maskingKey, payload.Length);
    }

    /// <summary>Masks or unmasks <paramref name="source"/> into <paramref name="destination"/>.</summary>
    /// <param name="source">The payload, or the next chunk of it.</param>
    /// <param name="destination">Receives as many bytes as <paramref name="source"/> has. It may be the same memory, but not overlap otherwise.</param>
    /// <param name="maskingKey">The key of the frame, or what the call for the chunk before has returned.</param>
    /// <returns>The key for the chunk that follows.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short or overlaps <paramref name="source"/> at another position.</exception>
    public static uint Apply(ReadOnlySpan<byte> source, Span<byte> destination, uint maskingKey)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        if (source.Overlaps(destination, out var distance) && distance != 0)
            throw new ArgumentException("The destination overlaps the source at another position.", nameof(destination));

        Xor(ref MemoryMarshal.GetReference(source), ref MemoryMarshal.GetReference(destination), (nuint)source.Length, maskingKey);
        return Rotate(maskingKey, source.Length);
    }

    /// <summary>Gets the key for the byte that follows <paramref name="count"/> bytes of payload.</summary>
    /// <param name="maskingKey">The key for the first of the bytes.</param>
    /// <param name="count">How many bytes are passed over.</param>
    /// <returns>The rotated key.</returns>
    public static uint Rotate(uint maskingKey, long count) => uint.RotateRight(maskingKey, (int)(count & 3) * 8);

    /// <summary>Creates the key for a frame that a client sends, new for each frame and unpredictable (RFC 6455 §5.3, §10.3).</summary>
    /// <returns>A key from a cryptographic generator, drawn in batches by each thread.</returns>
    public static uint CreateKey() => WebSocketMaskingKeys.Next();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Xor(ref byte source, ref byte destination, nuint length, uint maskingKey)
    {
        // The key as it lies in memory before the first byte; on a big-endian machine its first byte is the highest one.
        var key = BitConverter.IsLittleEndian ? maskingKey : BinaryPrimitives.ReverseEndianness(maskingKey);
        if (length < 16)
            XorFew(ref source, ref destination, length, key);
        else if (Vector512.IsHardwareAccelerated && length >= 64)
            Xor512(ref source, ref destination, length, key);
        else if (Vector256.IsHardwareAccelerated && length >= 32)
            Xor256(ref source, ref destination, length, key);
        else
            Xor128(ref source, ref destination, length, key);
    }

    private static void XorFew(ref byte source, ref byte destination, nuint length, uint key)
    {
        if (length >= sizeof(ulong))
        {
            var key64 = (ulong)key << 32 | key;
            var last = length - sizeof(ulong);
            var tail = Load<ulong>(ref source, last) ^ RotateInMemory(key64, last);
            Store(ref destination, 0, Load<ulong>(ref source, 0) ^ key64);
            Store(ref destination, last, tail);
        }
        else if (length >= sizeof(uint))
        {
            var last = length - sizeof(uint);
            var tail = Load<uint>(ref source, last) ^ RotateInMemory(key, last);
            Store(ref destination, 0, Load<uint>(ref source, 0) ^ key);
            Store(ref destination, last, tail);
        }
        else
        {
            for (nuint i = 0; i < length; i++)
            {
                Store(ref destination, i, (byte)(Load<byte>(ref source, i) ^ (BitConverter.IsLittleEndian ? (byte)key : (byte)(key >> 24))));
                key = RotateInMemory(key, 1);
            }
        }
    }

    private static void Xor512(ref byte source, ref byte destination, nuint length, uint key)
    {
        const nuint Width = 64;
        var last = length - Width;
        nuint i = 0;
        if (length >= WorthAligning && (i = BytesToBoundary(ref destination, Width)) != 0)
        {
            // The vector after this one overlaps it: in place it has to be loaded before.
            var head = Vector512.LoadUnsafe(ref source) ^ Vector512.Create(key).AsByte();
            key = RotateInMemory(key, i);
            var next = Vector512.LoadUnsafe(ref source, i) ^ Vector512.Create(key).AsByte();
            head.StoreUnsafe(ref destination);
            next.StoreUnsafe(ref destination, i);
            i += Width;
        }

        var keys = Vector512.Create(key).AsByte();
        for (; i + 4 * Width <= last; i += 4 * Width)
        {
            var a = Vector512.LoadUnsafe(ref source, i) ^ keys;
            var b = Vector512.LoadUnsafe(ref source, i + Width) ^ keys;
            var c = Vector512.LoadUnsafe(ref source, i + 2 * Width) ^ keys;
            var d = Vector512.LoadUnsafe(ref source, i + 3 * Width) ^ keys;
            a.StoreUnsafe(ref destination, i);
            b.StoreUnsafe(ref destination, i + Width);
            c.StoreUnsafe(ref destination, i + 2 * Width);
            d.StoreUnsafe(ref destination, i + 3 * Width);
        }

        var tail = Vector512.LoadUnsafe(ref source, last) ^ Vector512.Create(RotateInMemory(key, last - i)).AsByte();
        for (; i < last; i += Width)
            (Vector512.LoadUnsafe(ref source, i) ^ keys).StoreUnsafe(ref destination, i);
        tail.StoreUnsafe(ref destination, last);
    }

    private static void Xor256(ref byte source, ref byte destination, nuint length, uint key)
    {
        const nuint Width = 32;
        var last = length - Width;
        nuint i = 0;
        if (length >= WorthAligning && (i = BytesToBoundary(ref destination, Width)) != 0)
        {
            var head = Vector256.LoadUnsafe(ref source) ^ Vector256.Create(key).AsByte();
            key = RotateInMemory(key, i);
            var next = Vector256.LoadUnsafe(ref source, i) ^ Vector256.Create(key).AsByte();
            head.StoreUnsafe(ref destination);
            next.StoreUnsafe(ref destination, i);
            i += Width;
        }

        var keys = Vector256.Create(key).AsByte();
        for (; i + 4 * Width <= last; i += 4 * Width)
        {
            var a = Vector256.LoadUnsafe(ref source, i) ^ keys;
            var b = Vector256.LoadUnsafe(ref source, i + Width) ^ keys;
            var c = Vector256.LoadUnsafe(ref source, i + 2 * Width) ^ keys;
            var d = Vector256.LoadUnsafe(ref source, i + 3 * Width) ^ keys;
            a.StoreUnsafe(ref destination, i);
            b.StoreUnsafe(ref destination, i + Width);
            c.StoreUnsafe(ref destination, i + 2 * Width);
            d.StoreUnsafe(ref destination, i + 3 * Width);
        }

        var tail = Vector256.LoadUnsafe(ref source, last) ^ Vector256.Create(RotateInMemory(key, last - i)).AsByte();
        for (; i < last; i += Width)
            (Vector256.LoadUnsafe(ref source, i) ^ keys).StoreUnsafe(ref destination, i);
        tail.StoreUnsafe(ref destination, last);
    }

    private static void Xor128(ref byte source, ref byte destination, nuint length, uint key)
    {
        const nuint Width = 16;
        var last = length - Width;
        var tail = Vector128.LoadUnsafe(ref source, last) ^ Vector128.Create(RotateInMemory(key, last)).AsByte();
        var keys = Vector128.Create(key).AsByte();
        for (nuint i = 0; i < last; i += Width)
            (Vector128.LoadUnsafe(ref source, i) ^ keys).StoreUnsafe(ref destination, i);
        tail.StoreUnsafe(ref destination, last);
    }

    // Where the collector moves the memory meanwhile, this is no longer true and costs nothing but time.
    private static nuint BytesToBoundary(ref byte start, nuint width) =>
        (nuint)(-Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref start)) & (width - 1);

    // Byte n of the key comes first. "Later" is towards the low bits on a little-endian machine.
    private static uint RotateInMemory(uint key, nuint count) => BitConverter.IsLittleEndian
        ? uint.RotateRight(key, (int)(count & 3) * 8)
        : uint.RotateLeft(key, (int)(count & 3) * 8);

    private static ulong RotateInMemory(ulong key, nuint count) => BitConverter.IsLittleEndian
        ? ulong.RotateRight(key, (int)(count & 3) * 8)
        : ulong.RotateLeft(key, (int)(count & 3) * 8);

    private static T Load<T>(ref byte start, nuint offset) where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.AddByteOffset(ref start, offset));

    private static void Store<T>(ref byte start, nuint offset, T value) where T : unmanaged =>
        Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref start, offset), value);
}
