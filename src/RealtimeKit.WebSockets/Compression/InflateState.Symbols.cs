using System.Buffers;

namespace RealtimeKit.WebSockets;

// Literals and matches, wherever input and output end (RFC 1951 §3.2.5).
internal sealed partial class InflateState
{
    // Symbol by symbol, with every bound looked at; where there is plenty of both, the fast loop takes over.
    private OperationStatus ReadSymbols(ReadOnlySpan<byte> source, ref int read, Span<byte> output, ref int written, in InflateHistory history)
    {
        while (true)
        {
            if (source.Length - read >= sizeof(ulong) && output.Length - written >= FastOutput)
            {
                var status = ReadSymbolsFast(source, ref read, output, ref written, history);
                if (_mode != Mode.Symbols || status == OperationStatus.InvalidData)
                    return status;
            }

            // As many bits as there are: one symbol takes 48 at most, so what is missing now is missing in the input.
            Fill(48, source, ref read);
            var entry = Look(_literalTable, _bits, out var bits);
            if (bits > _bitCount)
                return OperationStatus.NeedMoreData;
            switch (entry & InflateTable.KindMask)
            {
                case InflateTable.Literal:
                    if (written == output.Length)
                        return OperationStatus.DestinationTooSmall;
                    Take(bits);
                    output[written++] = (byte)(entry >> InflateTable.ValueShift);
                    continue;

                case InflateTable.EndOfBlock:
                    Take(bits);
                    return EndBlock();

                case InflateTable.Base:
                    var length = Value(entry, _bits, bits);
                    entry = Look(_distanceTable, _bits >> bits, out var distanceBits);
                    if (bits + distanceBits > _bitCount)
                        return OperationStatus.NeedMoreData;
                    if ((entry & InflateTable.KindMask) != InflateTable.Base)
                        return OperationStatus.InvalidData;
                    _matchLength = length;
                    _matchDistance = Value(entry, _bits >> bits, distanceBits);
                    Take(bits);
                    Take(distanceBits);
                    if (!history.Reaches(_matchDistance, written))
                        return OperationStatus.InvalidData;
                    _mode = Mode.Match;
                    return OperationStatus.Done;

                default:
                    return OperationStatus.InvalidData;
            }
        }
    }

    // The entry of the next code, and the bits that it takes together with its extra bits.
    private static uint Look(InflateTable table, ulong bits, out int taken)
    {
        var entry = table.Entries[(uint)bits & (1u << table.RootBits) - 1];
        taken = (int)(entry & 0xFF);
        if ((entry & InflateTable.KindMask) != InflateTable.SubTable)
            return entry;
        var subBits = (int)(entry >> InflateTable.CodeBitsShift & 0xF);
        entry = table.Entries[(entry >> InflateTable.ValueShift) + ((uint)(bits >> taken) & (1u << subBits) - 1)];
        taken += (int)(entry & 0xFF);
        return entry;
    }

    // The base and the extra bits, which are the last of those taken.
    private static int Value(uint entry, ulong bits, int taken)
    {
        var extraBits = (int)(entry & 0xFF) - (int)(entry >> InflateTable.CodeBitsShift & 0xF);
        return (int)(entry >> InflateTable.ValueShift) + (int)(bits >> (taken - extraBits) & (1UL << extraBits) - 1);
    }

    private OperationStatus CopyMatch(Span<byte> output, ref int written, in InflateHistory history)
    {
        var count = Math.Min(_matchLength, output.Length - written);
        Copy(output, written, count, _matchDistance, history);
        written += count;
        _matchLength -= count;
        if (_matchLength > 0)
            return OperationStatus.DestinationTooSmall;
        _mode = Mode.Symbols;
        return OperationStatus.Done;
    }

    // A match that begins in the history may end in the output, and may overlap itself.
    private static void Copy(Span<byte> output, int written, int count, int distance, in InflateHistory history)
    {
        if (distance > written)
        {
            var fromHistory = Math.Min(count, distance - written);
            history.CopyTo(output.Slice(written, fromHistory), distance - written);
            written += fromHistory;
            count -= fromHistory;
            if (count == 0)
                return;
        }

        if (distance >= count)
        {
            output.Slice(written - distance, count).CopyTo(output[written..]);
            return;
        }

        for (; count > 0; count--, written++)
            output[written] = output[written - distance];
    }
}
