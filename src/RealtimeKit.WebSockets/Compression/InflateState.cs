using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Decodes raw DEFLATE blocks (RFC 1951) that may be split at any byte of input and of output. Whatever the input says, it neither
/// throws nor reads or writes outside of the spans it is given; each step consumes input or produces output.
/// </summary>
/// <remarks>Needed only between the first and the last byte of a message, so <see cref="DeflateDecoder"/> lends it out of a pool.</remarks>
internal sealed partial class InflateState
{
    private const int RootBits = 10;
    private const int DistanceRootBits = 8;

    // The worst codes of these alphabets need 1,334 and 402 entries with these roots; TryBuild would refuse more.
    private readonly InflateTable _literals = new(RootBits, 1344, DeflateSymbols.LiteralCount);
    private readonly InflateTable _distances = new(DistanceRootBits, 416, DeflateSymbols.DistanceCount);
    private readonly InflateTable _codeLengths = new(DeflateSymbols.MaxCodeLengthBits, 1 << DeflateSymbols.MaxCodeLengthBits, DeflateSymbols.CodeLengthCount);
    private readonly byte[] _lengths = new byte[DeflateSymbols.LiteralCount + DeflateSymbols.DistanceCount];

    private InflateTable _literalTable;
    private InflateTable _distanceTable;
    private Mode _mode;
    private bool _isFinalBlock;

    // Input that has been taken and not used: the next bit is the lowest.
    private ulong _bits;
    private int _bitCount;

    private int _storedLength;
    private int _literalCount;
    private int _distanceCount;
    private int _codeLengthCount;
    private int _lengthIndex;
    private int _matchLength;
    private int _matchDistance;

    public InflateState()
    {
        _literalTable = _literals;
        _distanceTable = _distances;
    }

    private enum Mode : byte
    {
        BlockHeader,
        StoredLength,
        Stored,
        DynamicCounts,
        CodeLengthLengths,
        CodeLengths,
        Symbols,
        Match,
        Failed,
    }

    /// <summary>Whether the last block was marked as the last of its stream (RFC 1951 §3.2.3), and nothing has followed it.</summary>
    public bool IsAfterFinalBlock { get; private set; }

    /// <summary>Whether a block has ended with the last byte of the input, or none has begun.</summary>
    public bool IsBetweenBlocks => _mode == Mode.BlockHeader && _bitCount == 0;

    /// <summary>Begins a new stream.</summary>
    public void Reset()
    {
        _mode = Mode.BlockHeader;
        _bits = 0;
        _bitCount = 0;
        IsAfterFinalBlock = false;
    }

    /// <summary>Decodes until the input is used up or the output is full.</summary>
    /// <param name="source">Input; <paramref name="read"/> moves over what was taken.</param>
    /// <param name="read">How much of the input is taken.</param>
    /// <param name="output">Output; <paramref name="written"/> moves over what was written, and what is before may be referred to.</param>
    /// <param name="written">How much of the output is written.</param>
    /// <param name="history">What was written before the output.</param>
    /// <returns><c>NeedMoreData</c>, <c>DestinationTooSmall</c> or <c>InvalidData</c>: a stream of messages has no end.</returns>
    public OperationStatus Run(ReadOnlySpan<byte> source, ref int read, Span<byte> output, ref int written, in InflateHistory history)
    {
        while (true)
        {
            var status = _mode switch
            {
                Mode.BlockHeader => ReadBlockHeader(source, ref read),
                Mode.StoredLength => ReadStoredLength(source, ref read),
                Mode.Stored => CopyStored(source, ref read, output, ref written),
                Mode.DynamicCounts => ReadDynamicCounts(source, ref read),
                Mode.CodeLengthLengths => ReadCodeLengthLengths(source, ref read),
                Mode.CodeLengths => ReadCodeLengths(source, ref read),
                Mode.Symbols => ReadSymbols(source, ref read, output, ref written, history),
                Mode.Match => CopyMatch(output, ref written, history),
                _ => OperationStatus.InvalidData,
            };

            // Done: the state has changed, and there is more to do.
            if (status == OperationStatus.InvalidData)
                _mode = Mode.Failed;
            if (status != OperationStatus.Done)
                return status;
        }
    }

    // Fills the bits from the input. False: there are fewer than wanted, and no input is left.
    private bool Fill(int wanted, ReadOnlySpan<byte> source, ref int read)
    {
        if (_bitCount >= wanted)
            return true;
        if (source.Length - read >= sizeof(ulong))
        {
            // Bits above the count repeat what the input says next: they may stay.
            _bits |= BinaryPrimitives.ReadUInt64LittleEndian(source[read..]) << _bitCount;
            read += (63 - _bitCount) >> 3;
            _bitCount |= 56;
            return true;
        }

        while (_bitCount < 56 && read < source.Length)
        {
            _bits |= (ulong)source[read++] << _bitCount;
            _bitCount += 8;
        }

        return _bitCount >= wanted;
    }

    private uint Take(int count)
    {
        var value = (uint)(_bits & (1UL << count) - 1);
        _bits >>= count;
        _bitCount -= count;
        return value;
    }
}
