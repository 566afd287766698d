using System.Runtime.CompilerServices;

namespace RealtimeKit.Benchmarks.Micro.Framing;

/// <summary>
/// Memory that does not move, at a known place: eight bytes after a cache line begins, where a payload of 126 bytes or more lies
/// when its masked header is at the beginning of a line.
/// </summary>
internal static class AlignedBuffer
{
    private const int CacheLine = 64;
    private const int HeaderLength = 8;

    public static Memory<byte> Create(int length)
    {
        var array = GC.AllocateUninitializedArray<byte>(length + 2 * CacheLine, pinned: true);
        var misplaced = (int)(AddressOf(ref array[0]) % CacheLine);
        return array.AsMemory(CacheLine - misplaced + HeaderLength, length);
    }

    private static unsafe nuint AddressOf(ref byte start) => (nuint)Unsafe.AsPointer(ref start);
}
