using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.ServerSentEvents;

public sealed partial class ServerSentEventAssembler
{
    private const int Window = LineEnd.WindowLength;

    // Where an event's lines stand in the input, but for its data's: fields, so that the loop below keeps its own state in registers.
    private (int Start, int Length) _eventTypeLine;
    private (int Start, int Length) _idLine;
    private (int Start, int Length) _retryLine;

    // The last retry field's value as this path read it, where it has at most eight digits; length 0 for none.
    private ulong _retryDigits;
    private int _retryDigitsLength;

    /// <summary>
    /// The path of nearly all events: one whose bytes lie together, with no field but its data twice. Line ends are found 64 bytes at a time and kept as
    /// a mask, so that the next line does not wait for a scan of its own; lines are offsets until the event is complete. Anything else is
    /// left to the general path: nothing is changed then.
    /// </summary>
    /// <returns>After how many bytes the event ends; where there is none, the complement of how many are done with.</returns>
    private int ReadWhole(ref byte start, int count, out ServerSentEventView item)
    {
        // Its two parts, not the span: a span stored as two fields and then read as one value waits for the stores.
        var bytes = MemoryMarshal.CreateReadOnlySpan(ref start, count);
        Unsafe.SkipInit(out item);
        var lastWindow = bytes.Length - Window;
        if (lastWindow < 0)
            return -1;

        // Offsets are those of line ends that a mask showed, or the ones behind: at most the length.
        var fields = Fields.None;
        int data = 0, dataLength = 0;
        var read = 0;
        var lineStart = 0;
        var window = 0;
        var mask = LineEnd.GetMask(ref start);
        while (true)
        {
            while (mask == 0)
            {
                window += Window;
                if (window - lineStart >= 8 * Window)
                    window = SkipLongLine(bytes, window);
                mask = window <= lastWindow ? LineEnd.GetMask(ref Unsafe.Add(ref start, window)) : GetLastMask(bytes, window);
                if (mask == 0 && window >= lastWindow)
                    goto Leave;
            }

            var line = lineStart;
            var end = window + BitOperations.TrailingZeroCount(mask);
            mask &= mask - 1;
            lineStart = end + 1;
            Debug.Assert(line <= end && end < bytes.Length, "A mask shows line ends within the bytes, each once.");
            if (Unsafe.Add(ref start, end) == (byte)'\r')
            {
                // A CR at the end of the input, or of a window, may be half of a CRLF.
                if (lineStart == bytes.Length || lineStart == window + Window)
                    goto Leave;
                if (Unsafe.Add(ref start, lineStart) == (byte)'\n')
                {
                    lineStart++;
                    mask &= mask - 1;
                }
            }

            if (line == end)
            {
                if ((fields & Fields.Data) != 0)
                    break;
                if (fields != Fields.None)
                    goto Leave;
                read = lineStart;
                continue;
            }

            // What is read of a line may reach beyond it, but not beyond the bytes.
            if (line > bytes.Length - sizeof(ulong))
                goto Leave;
            var head = ServerSentEventLine.ReadHead(ref Unsafe.Add(ref start, line));
            if ((head & ServerSentEventLine.FiveBytes) == ServerSentEventLine.DataPrefix)
            {
                line += ServerSentEventLine.PassSpace(head, 5);
                if ((fields & Fields.Data) == 0)
                {
                    fields |= Fields.Data;
                    data = line;
                    dataLength = end - line;
                }
                else
                {
                    if ((fields & Fields.DataHeld) == 0)
                        _data.Set(bytes.Slice(data, dataLength));
                    fields |= Fields.DataHeld;
                    if (end - line >= _options.MaxEventLength - _data.Length)
                        goto Leave;
                    _data.AppendLine(bytes[line..end]);
                }
            }
            else if ((head & ServerSentEventLine.ThreeBytes) == ServerSentEventLine.IdPrefix)
            {
                if ((fields & Fields.Id) != 0)
                    goto Leave;
                fields |= Fields.Id;
                line += ServerSentEventLine.PassSpace(head, 3);
                _idLine = (line, end - line);
            }
            else if ((head & ServerSentEventLine.SixBytes) == ServerSentEventLine.EventPrefix)
            {
                if ((fields & Fields.EventType) != 0)
                    goto Leave;
                fields |= Fields.EventType;
                line += ServerSentEventLine.PassSpace(head, 6);
                _eventTypeLine = (line, end - line);
            }
            else if ((head & ServerSentEventLine.SixBytes) == ServerSentEventLine.RetryPrefix)
            {
                if ((fields & Fields.Retry) != 0 || _options.IncludeRetries)
                    goto Leave;
                fields |= Fields.Retry;
                line += ServerSentEventLine.PassSpace(head, 6);
                _retryLine = (line, end - line);
            }
            else if ((byte)head == (byte)':' && !_options.IncludeComments)
            {
                if (end - line > _state.MaxLineLength)
                    goto Leave;
                if (fields == Fields.None)
                    read = lineStart;
            }
            else if (end - line > _state.MaxLineLength || !IsUnknownField(bytes[line..end]))
            {
                goto Leave;
            }
        }

        // No line of a block is longer than the block.
        if (lineStart - read > _state.MaxLineLength || dataLength > _options.MaxEventLength)
            goto Leave;
        if ((fields & Fields.EventType) != 0 && _eventTypeLine.Length > _options.MaxEventTypeLength)
            goto Leave;
        if ((fields & Fields.Retry) != 0 && !TryTakeRetry(bytes))
            goto Leave;
        if ((fields & Fields.Id) != 0 && !TryTakeId(bytes))
            goto Leave;

        // One by one: a view made elsewhere and copied here would be read back before its stores are done.
        item.Kind = ServerSentEventItemKind.Event;
        item.Data = bytes.Slice(data, dataLength);
        item.EventType = "message"u8;
        item.LastEventId = _lastEventId.Span;
        item.HasId = (fields & Fields.Id) != 0;
        item.RetryMilliseconds = -1;
        if ((fields & Fields.DataHeld) != 0)
        {
            item.Data = _data.Span;
            _isDataLent = true;
        }

        if ((fields & Fields.EventType) != 0 && _eventTypeLine.Length != 0)
            item.EventType = bytes.Slice(_eventTypeLine.Start, _eventTypeLine.Length);
        if ((fields & Fields.Retry) != 0)
            item.RetryMilliseconds = _retry;
        return lineStart;

    Leave:
        return ~read;
    }

    /// <summary>Puts an event's reconnection time into force; false where it is none. Streams repeat theirs, which is parsed once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTakeRetry(ReadOnlySpan<byte> bytes)
    {
        var (start, length) = _retryLine;
        if ((uint)(length - 1) >= sizeof(ulong) || start > bytes.Length - sizeof(ulong))
            return TryTakeLongRetry(bytes);
        var digits = ServerSentEventLine.ReadHead(ref Unsafe.Add(ref MemoryMarshal.GetReference(bytes), start)) << (8 * (sizeof(ulong) - length));
        return (digits == _retryDigits && length == _retryDigitsLength) || TryTakeNewRetry(bytes, digits);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryTakeNewRetry(ReadOnlySpan<byte> bytes, ulong digits)
    {
        if (!TryTakeLongRetry(bytes))
            return false;
        _retryDigits = digits;
        _retryDigitsLength = _retryLine.Length;
        return true;
    }

    private bool TryTakeLongRetry(ReadOnlySpan<byte> bytes)
    {
        if (!ServerSentEventLine.TryParseRetry(bytes.Slice(_retryLine.Start, _retryLine.Length), out var retry))
            return false;
        _retry = retry;
        _retryDigitsLength = 0;
        return true;
    }

    /// <summary>Puts an event's id into force; false where it is too long or to be ignored. A short one is copied with the bytes behind it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryTakeId(ReadOnlySpan<byte> bytes)
    {
        var (start, length) = _idLine;
        if (length > Vector128<byte>.Count || length > _options.MaxIdLength || start > bytes.Length - Vector128<byte>.Count)
            return TryTakeLongId(bytes);
        var id = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(bytes), (nuint)start);
        var nuls = Vector128.Equals(id, Vector128<byte>.Zero).ExtractMostSignificantBits();
        return (nuls & ((1u << length) - 1)) == 0 && (_lastEventId.TrySet(id, length) || TryTakeLongId(bytes));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryTakeLongId(ReadOnlySpan<byte> bytes)
    {
        var id = bytes.Slice(_idLine.Start, _idLine.Length);
        if (id.Length > _options.MaxIdLength || ServerSentEventLine.ContainsNul(id))
            return false;
        _lastEventId.Set(id);
        return true;
    }

    private static bool IsUnknownField(ReadOnlySpan<byte> line) =>
        ServerSentEventLine.Parse(line, out _) == ServerSentEventToken.None;

    /// <summary>Looks for the end of a long line in larger steps: it will be found again in its window.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int SkipLongLine(ReadOnlySpan<byte> bytes, int window)
    {
        if (window >= bytes.Length)
            return window;
        var far = LineEnd.IndexOf(bytes[window..]);
        return far < 0 ? bytes.Length : window + (far / Window * Window);
    }

    /// <summary>The mask of the last bytes, which fill no window: one that overlaps the window before, whose bits are shifted out.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong GetLastMask(ReadOnlySpan<byte> bytes, int window)
    {
        var left = bytes.Length - window;
        return left <= 0 ? 0 : LineEnd.GetMask(ref MemoryMarshal.GetReference(bytes[^Window..])) >> (Window - left);
    }
}
