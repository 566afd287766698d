using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Finds repetitions with hash chains and lazy matching (RFC 1951 §4). Positions are counted through from message to message, so
/// that a new message makes what is left of the last one invalid by its position alone: the tables are never cleared.
/// </summary>
/// <remarks>
/// <para>Two tables: the last occurrence of three bytes, and chains of occurrences of four.</para>
/// <para>A table entry only proposes: every match is compared byte by byte before it is used.</para>
/// </remarks>
internal sealed class DeflateMatcher
{
    // A chain's step is stored in 16 bits; this one leads out of every window.
    private const int EndOfChain = ushort.MaxValue;

    // As many bytes are hashed.
    private const int MatchAhead = 4;

    // 2^32 divided by the golden ratio: its product spreads over the upper bits.
    private const uint HashFactor = 0x9E3779B1;

    // Where speed and size balance, found by measuring JSON and prose against zlib's default level: how many occurrences are looked
    // at, from what length on fewer are, none for a better one at the next byte, and none for a longer one at all.
    private const int MaxChain = 16;
    private const int GoodLength = 16;
    private const int MaxLazyLength = 32;

    // A short message without a history has little to find: half the search costs a hundredth of its size.
    private const int ShortMessage = 4096;
    private const int MaxChainOfShort = 8;
    private const int MaxLazyLengthOfShort = 6;

    private const int NiceLength = 96;

    // Shorter is not worth the bits of a distance further back.
    private const int MaxDistanceOf3 = 4096;

    private const int FirstPosition = EndOfChain + 1;   // out of reach of the zeros of a new table

    private readonly int[] _last3;
    private readonly int[] _last4;
    private readonly ushort[] _steps;
    private readonly int _maxBits3;
    private readonly int _maxBits4;

    private int _shift3;
    private int _shift4;
    private int _origin;         // the position of the window's first byte
    private int _first;          // the first position of what may be referred to
    private int _next = FirstPosition;   // the position behind all that was seen
    private int _inserted;       // the next position to be entered
    private int _maxDistance;
    private int _maxChain;
    private int _maxLazyLength;

    /// <summary>Creates the tables.</summary>
    /// <param name="windowBits">The largest window, as a power of two: 8–15.</param>
    public DeflateMatcher(int windowBits)
    {
        _maxBits4 = Math.Min(windowBits, 14);
        _maxBits3 = Math.Min(windowBits, 12);
        _last4 = new int[1 << _maxBits4];
        _last3 = new int[1 << _maxBits3];
        _steps = new ushort[1 << windowBits];
        UseBits(windowBits);
    }

    /// <summary>How much memory its tables take.</summary>
    public int Retained => (sizeof(int) * (_last3.Length + _last4.Length)) + (sizeof(ushort) * _steps.Length);

    /// <summary>Begins a message that refers to nothing before it.</summary>
    /// <param name="length">Its length: a short one uses a small part of the tables, which stays in the nearest cache.</param>
    /// <param name="windowBits">How far it may refer back.</param>
    /// <param name="hasHistory">Whether others follow that may refer to it.</param>
    public void Begin(int length, int windowBits, bool hasHistory)
    {
        if (_next > int.MaxValue - length)
            Restart();
        _origin = _first = _inserted = _next;
        _maxDistance = 1 << windowBits;
        (_maxChain, _maxLazyLength) = length <= ShortMessage && !hasHistory ? (MaxChainOfShort, MaxLazyLengthOfShort) : (MaxChain, MaxLazyLength);
        UseBits(BitOperations.Log2((uint)length | 128) + 2);
    }

    /// <summary>Goes on behind what came before, in a window whose beginning has been moved.</summary>
    /// <param name="moved">By how many bytes.</param>
    /// <param name="windowLength">The most bytes that the window holds.</param>
    public void MoveWindow(int moved, int windowLength)
    {
        _first = _origin += moved;
        if (_origin > int.MaxValue - windowLength)
        {
            Restart();
            _origin = _first = _inserted = _next;   // what is in the window is entered again
        }
    }

    // Once in two billion bytes the positions begin again.
    private void Restart()
    {
        _last3.AsSpan().Clear();
        _last4.AsSpan().Clear();
        _next = FirstPosition;
    }

    private void UseBits(int bits)
    {
        _shift3 = 32 - Math.Min(bits, _maxBits3);
        _shift4 = 32 - Math.Min(bits, _maxBits4);
    }

    /// <summary>Turns bytes into literals and matches.</summary>
    /// <param name="window">What may be referred to, and behind it the bytes.</param>
    /// <param name="start">Where the bytes begin in the window.</param>
    /// <param name="message">The message that the bytes belong to.</param>
    /// <param name="offset">Where they begin in the message.</param>
    /// <param name="written">How much of the message stands in blocks that are written.</param>
    /// <param name="block">Takes the literals and matches; written when it is full.</param>
    /// <param name="output">Takes the blocks.</param>
    public void Parse(ReadOnlySpan<byte> window, int start, ReadOnlySpan<byte> message, int offset, ref int written, DeflateBlock block, ref DeflateBitWriter output)
    {
        _next = _origin + window.Length;

        // Where four bytes are left a match may begin; the last three are literals.
        var lastMatch = window.Length - MatchAhead;
        Insert(window, Math.Min(start, lastMatch + 1));

        // Every read below lies in the window: `here` has `limit` >= 4 bytes, `there` begins before it and not before the window
        // (`oldest` is at least _first >= _origin), and both are read to `best` < `limit` at most. A hash has as many bits as its table,
        // and a step's index those of the steps.
        Debug.Assert(_first >= _origin);
        ref var first = ref MemoryMarshal.GetReference(window);
        ref var table3 = ref MemoryMarshal.GetArrayDataReference(_last3);
        ref var table4 = ref MemoryMarshal.GetArrayDataReference(_last4);
        ref var steps = ref MemoryMarshal.GetArrayDataReference(_steps);
        var stepMask = _steps.Length - 1;
        var (shift3, shift4, origin) = (_shift3, _shift4, _origin);
        var (maxChain, maxLazyLength) = (_maxChain, _maxLazyLength);

        // Lazy: a match waits for the one that begins at the next byte. If that is better, this one's first byte is a literal.
        var waitingLength = 0;
        var waitingDistance = 0;
        var index = start;
        while (index <= lastMatch)
        {
            ref var here = ref Unsafe.Add(ref first, index);
            var position = origin + index;
            var bytes = Load32(ref here, 0);
            ref var last4 = ref Unsafe.Add(ref table4, (int)(bytes * HashFactor >> shift4));
            ref var last3 = ref Unsafe.Add(ref table3, (int)((bytes << 8) * HashFactor >> shift3));
            var candidate = last4;
            var candidate3 = last3;
            last4 = last3 = position;
            Unsafe.Add(ref steps, position & stepMask) = (ushort)Math.Min(position - candidate, EndOfChain);

            // The longest match here, if it is not shorter than the one that waits.
            var length = 0;
            var distance = 0;
            var oldest = Math.Max(_first, position - _maxDistance);
            var limit = Math.Min(window.Length - index, DeflateSymbols.MaxMatch);
            var best = Math.Max(waitingLength - 1, 0);
            if (candidate >= oldest && best < limit)
            {
                // Only a match that has the last four of best + 1 bytes can be longer than best.
                var chain = waitingLength >= GoodLength ? maxChain / 4 : maxChain;
                var tail = Math.Max(best - 3, 0);
                var tailBytes = Load32(ref here, tail);
                do
                {
                    ref var there = ref Unsafe.Add(ref here, candidate - position);
                    if (Load32(ref there, tail) == tailBytes && Load32(ref there, 0) == bytes)
                    {
                        var common = MatchLength(ref here, ref there, limit);
                        if (common > best)
                        {
                            best = length = common;
                            distance = position - candidate;
                            if (common >= NiceLength || common == limit)
                                break;
                            tail = common - 3;
                            tailBytes = Load32(ref here, tail);
                        }
                    }

                    candidate -= Unsafe.Add(ref steps, candidate & stepMask);
                }
                while (candidate >= oldest && --chain > 0);
            }

            if (best < DeflateSymbols.MinMatch && candidate3 >= Math.Max(oldest, position - MaxDistanceOf3)
                && (Load32(ref here, candidate3 - position) ^ bytes) << 8 == 0)
            {
                length = DeflateSymbols.MinMatch;
                distance = position - candidate3;
            }

            index++;
            if (waitingLength == 0 && length == 0)
            {
                block.AddLiteral(here);
            }
            else if (length >= waitingLength && (waitingLength == 0 || IsBetter(length, distance, waitingLength, waitingDistance)))
            {
                if (waitingLength > 0)
                {
                    block.AddLiteral(Unsafe.Subtract(ref here, 1));
                    if (block.IsFull)
                        WriteBlock(block, ref output, message, ref written, offset + index - 1 - start);
                }

                waitingLength = length;
                waitingDistance = distance;
                if (length < maxLazyLength && index <= lastMatch)
                    continue;

                block.AddMatch(length, distance);
                index += length - 1;
                waitingLength = 0;
            }
            else
            {
                block.AddMatch(waitingLength, waitingDistance);
                index += waitingLength - 2;
                waitingLength = 0;
            }

            _inserted = position + 1;
            Insert(window, Math.Min(index, lastMatch + 1));
            if (block.IsFull)
                WriteBlock(block, ref output, message, ref written, offset + index - start);
        }

        Debug.Assert(waitingLength == 0);
        while (index < window.Length)
        {
            block.AddLiteral(window[index++]);
            if (block.IsFull)
                WriteBlock(block, ref output, message, ref written, offset + index - start);
        }
    }

    private static void WriteBlock(DeflateBlock block, ref DeflateBitWriter output, ReadOnlySpan<byte> message, ref int written, int end)
    {
        block.Write(ref output, message[written..end]);
        written = end;
    }

    // A byte more is worth about as much as a distance of a quarter of its bits.
    private static bool IsBetter(int nextLength, int nextDistance, int length, int distance) =>
        (4 * (nextLength - length)) + BitOperations.Log2((uint)distance) - BitOperations.Log2((uint)nextDistance) > 2;

    // Enters all that has not been, up to an index.
    private void Insert(ReadOnlySpan<byte> window, int end)
    {
        var index = _inserted - _origin;
        if (index >= end)
            return;

        // As in Parse: four bytes are read at most three before the end of the window, and indices have the tables' bits.
        Debug.Assert(end <= window.Length - MatchAhead + 1);
        ref var first = ref MemoryMarshal.GetReference(window);
        ref var table3 = ref MemoryMarshal.GetArrayDataReference(_last3);
        ref var table4 = ref MemoryMarshal.GetArrayDataReference(_last4);
        ref var steps = ref MemoryMarshal.GetArrayDataReference(_steps);
        var stepMask = _steps.Length - 1;
        var (shift3, shift4) = (_shift3, _shift4);
        var position = _inserted;
        for (; index < end; index++, position++)
        {
            var bytes = Load32(ref first, index);
            ref var last = ref Unsafe.Add(ref table4, (int)(bytes * HashFactor >> shift4));
            Unsafe.Add(ref steps, position & stepMask) = (ushort)Math.Min(position - last, EndOfChain);
            last = position;
            Unsafe.Add(ref table3, (int)((bytes << 8) * HashFactor >> shift3)) = position;
        }

        _inserted = position;
    }

    // The first four bytes are known to be equal.
    private static int MatchLength(ref byte left, ref byte right, int limit)
    {
        var length = MatchAhead;
        for (; length + sizeof(ulong) <= limit; length += sizeof(ulong))
        {
            var difference = Load64(ref left, length) ^ Load64(ref right, length);
            if (difference != 0)
                return length + (BitOperations.TrailingZeroCount(difference) >> 3);
        }

        while (length < limit && Unsafe.Add(ref left, length) == Unsafe.Add(ref right, length))
            length++;
        return length;
    }

    // Little endian, so that the first byte is the lowest.
    private static uint Load32(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }

    private static ulong Load64(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }
}
