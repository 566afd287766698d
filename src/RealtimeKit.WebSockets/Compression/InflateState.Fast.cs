using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.WebSockets;

// Literals and matches in the middle of both, where no bound is near.
internal sealed partial class InflateState
{
    // Room for one match, copied in vectors of which the last may reach past its end.
    private const int FastOutput = DeflateSymbols.MaxMatch + 15;

    // The base and the extra bits, which follow the code in what an entry takes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FastValue(uint entry, ulong bits) =>
        (int)(entry >> InflateTable.ValueShift) + (int)((bits & (1UL << (int)entry) - 1) >> (int)(entry >> InflateTable.CodeBitsShift & 0xF));

    // Little endian: the first byte is the lowest.
    private static ulong Load64(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }

    private OperationStatus ReadSymbolsFast(ReadOnlySpan<byte> source, ref int readPosition, Span<byte> output, ref int writtenPosition, in InflateHistory history)
    {
        var read = readPosition;
        var written = writtenPosition;
        var bits = _bits;
        var bitCount = _bitCount;
        var literals = _literalTable.Entries;
        var literalMask = (1u << _literalTable.RootBits) - 1;
        var distances = _distanceTable.Entries;
        var distanceMask = (1u << _distanceTable.RootBits) - 1;
        var status = OperationStatus.Done;

        // At the head of the loop there are eight bytes of input, room for the longest match, and the entry of the next code, looked up
        // before the match in front of it was copied. Bits above bitCount repeat what the input says at `read`; 56 of them hold the
        // longest symbol (48), or one literal and the look at another three.
        // Every access through a reference lies in its span: `read` + 8 <= source.Length and `written` + FastOutput <= output.Length
        // hold at the head, a pass writes three literals or one match with at most fifteen bytes behind it, and a match is read from
        // `written` - distance >= 0 on.
        ref var input = ref MemoryMarshal.GetReference(source);
        ref var target = ref MemoryMarshal.GetReference(output);
        bits |= Load64(ref input, read) << bitCount;
        read += (63 - bitCount) >> 3;
        bitCount |= 56;
        var entry = literals[(uint)bits & literalMask];
        while (source.Length - read >= sizeof(ulong) && output.Length - written >= FastOutput)
        {
            if ((entry & InflateTable.KindMask) == InflateTable.Literal)
            {
                bits >>= (int)entry;   // a shift looks at its lowest six bits, and the lowest eight are the length
                bitCount -= (int)(entry & 0xFF);
                Unsafe.Add(ref target, written++) = (byte)(entry >> InflateTable.ValueShift);
                entry = literals[(uint)bits & literalMask];
                if ((entry & InflateTable.KindMask) == InflateTable.Literal)
                {
                    bits >>= (int)entry;
                    bitCount -= (int)(entry & 0xFF);
                    Unsafe.Add(ref target, written++) = (byte)(entry >> InflateTable.ValueShift);
                    entry = literals[(uint)bits & literalMask];
                    if ((entry & InflateTable.KindMask) == InflateTable.Literal)
                    {
                        bits >>= (int)entry;
                        bitCount -= (int)(entry & 0xFF);
                        Unsafe.Add(ref target, written++) = (byte)(entry >> InflateTable.ValueShift);
                        entry = literals[(uint)bits & literalMask];
                    }
                }

                bits |= Load64(ref input, read) << bitCount;
                read += (63 - bitCount) >> 3;
                bitCount |= 56;
                continue;
            }

            if ((entry & InflateTable.KindMask) == InflateTable.SubTable)
            {
                bits >>= (int)entry;
                bitCount -= (int)(entry & 0xFF);
                var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
                entry = literals[(entry >> InflateTable.ValueShift) + ((uint)bits & (1u << subBits) - 1)];
            }

            if ((entry & InflateTable.KindMask) != InflateTable.Base)
            {
                if ((entry & InflateTable.KindMask) == InflateTable.Invalid)
                {
                    status = OperationStatus.InvalidData;
                    break;
                }

                bits >>= (int)entry;
                bitCount -= (int)(entry & 0xFF);
                if ((entry & InflateTable.KindMask) == InflateTable.EndOfBlock)
                {
                    _mode = Mode.BlockHeader;
                    break;
                }

                Unsafe.Add(ref target, written++) = (byte)(entry >> InflateTable.ValueShift);
                bits |= Load64(ref input, read) << bitCount;
                read += (63 - bitCount) >> 3;
                bitCount |= 56;
                entry = literals[(uint)bits & literalMask];
                continue;
            }

            var length = FastValue(entry, bits);
            bits >>= (int)entry;
            bitCount -= (int)(entry & 0xFF);
            entry = distances[(uint)bits & distanceMask];
            if ((entry & InflateTable.KindMask) == InflateTable.SubTable)
            {
                bits >>= (int)entry;
                bitCount -= (int)(entry & 0xFF);
                var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
                entry = distances[(entry >> InflateTable.ValueShift) + ((uint)bits & (1u << subBits) - 1)];
            }

            if ((entry & InflateTable.KindMask) != InflateTable.Base)
            {
                status = OperationStatus.InvalidData;
                break;
            }

            var distance = FastValue(entry, bits);
            bits >>= (int)entry;
            bitCount -= (int)(entry & 0xFF);
            bits |= Load64(ref input, read) << bitCount;
            read += (63 - bitCount) >> 3;
            bitCount |= 56;
            entry = literals[(uint)bits & literalMask];
            if (distance > written || distance > history.MaxDistance)
            {
                if (!history.Reaches(distance, written))
                {
                    status = OperationStatus.InvalidData;
                    break;
                }

                Copy(output, written, length, distance, history);
                written += length;
                continue;
            }

            ref var to = ref Unsafe.Add(ref target, written);
            ref var from = ref Unsafe.Subtract(ref to, distance);
            written += length;
            if (distance >= Vector128<byte>.Count)
            {
                var count = 0;
                do
                {
                    Vector128.LoadUnsafe(ref from, (nuint)count).StoreUnsafe(ref to, (nuint)count);
                    count += Vector128<byte>.Count;
                }
                while (count < length);
            }
            else if (distance == 1)
            {
                MemoryMarshal.CreateSpan(ref to, length).Fill(from);
            }
            else
            {
                for (var i = 0; i < length; i++)
                    Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i);
            }
        }

        _bits = bits & (1UL << bitCount) - 1;
        _bitCount = bitCount;
        readPosition = read;
        writtenPosition = written;
        Debug.Assert(bitCount is >= 0 and < 64);
        return _mode == Mode.BlockHeader ? EndBlock() : status;
    }
}
