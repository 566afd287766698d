using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeKit.ServerSentEvents;

public sealed partial class ServerSentEventAssembler
{
    /// <summary>
    /// The path of nearly all events: one whose bytes lie together, with one data field. Line ends are found 64 bytes at a time and kept
    /// as a mask, so that the next line does not wait for a scan of its own. Anything else is left to the general path: nothing is
    /// changed then, except that blocks without data are behind.
    /// </summary>
    private bool TryReadWhole(scoped ref ReadOnlySpan<byte> input, out ServerSentEventView item)
    {
        const int Window = LineEnd.WindowLength;
        var options = _options;
        var bytes = input;
        ReadOnlySpan<byte> data = default, eventType = default, id = default;
        var fields = Fields.None;
        var retry = -1L;
        var lineStart = 0;
        var window = 0;
        item = default;
        if (bytes.Length < Window)
            return false;

        ref var start = ref MemoryMarshal.GetReference(bytes);
        var mask = LineEnd.GetMask(ref start);
        while (true)
        {
            while (mask == 0)
            {
                window += Window;
                var left = bytes.Length - window;
                if (left >= Window)
                {
                    mask = LineEnd.GetMask(ref Unsafe.Add(ref start, window));
                    if (mask != 0 || window - lineStart < 8 * Window)
                        continue;

                    // A long line: its end is looked for in larger steps, and found again in its window.
                    var far = LineEnd.IndexOf(bytes[window..]);
                    if (far < 0)
                        return false;
                    window += (far / Window * Window) - Window;
                }
                else if (left > 0)
                {
                    // The last window overlaps the one before it, whose bits are shifted out.
                    mask = LineEnd.GetMask(ref Unsafe.Add(ref start, bytes.Length - Window)) >> (Window - left);
                }
                else
                {
                    return false;
                }
            }

            var end = window + BitOperations.TrailingZeroCount(mask);
            mask &= mask - 1;
            var line = bytes[lineStart..end];
            var rest = bytes[lineStart..];
            lineStart = end + 1;
            if (bytes[end] == (byte)'\r')
            {
                // A CR at the end of the input, or of a window, may be half of a CRLF.
                if (lineStart == bytes.Length || lineStart == window + Window)
                    return false;
                if (bytes[lineStart] == (byte)'\n')
                {
                    lineStart++;
                    mask &= mask - 1;
                }
            }

            if (line.Length > options.MaxLineLength)
                return false;
            if (line.IsEmpty)
            {
                if ((fields & Fields.Data) != 0)
                    break;
                if (fields != Fields.None)
                    return false;
                input = bytes[lineStart..];
                continue;
            }

            var token = BinaryPrimitives.TryReadUInt64LittleEndian(rest, out var head)
                ? ServerSentEventLine.Parse(head, line, out var value)
                : ServerSentEventLine.Parse(line, out value);
            switch (token)
            {
                case ServerSentEventToken.Data:
                    if ((fields & Fields.Data) != 0 || value.Length > options.MaxEventLength)
                        return false;
                    data = value;
                    fields |= Fields.Data;
                    break;

                case ServerSentEventToken.EventType:
                    if (value.Length > options.MaxEventTypeLength)
                        return false;
                    eventType = value;
                    fields |= Fields.EventType;
                    break;

                case ServerSentEventToken.Id:
                    if (value.Length > options.MaxIdLength)
                        return false;
                    id = value;
                    fields |= Fields.Id;
                    break;

                case ServerSentEventToken.Retry:
                    if (options.IncludeRetries)
                        return false;
                    retry = ServerSentEventLine.ParseRetry(value);
                    fields |= Fields.Retry;
                    break;

                case ServerSentEventToken.Comment:
                    if (options.IncludeComments)
                        return false;
                    if (fields == Fields.None)
                        input = bytes[lineStart..];
                    break;
            }
        }

        if ((fields & Fields.Id) != 0)
            _lastEventId.Set(id);
        if (retry >= 0)
            _retry = retry;
        input = bytes[lineStart..];
        item = new ServerSentEventView(
            data, eventType.IsEmpty ? "message"u8 : eventType, _lastEventId.Span, (fields & Fields.Id) != 0, retry);
        return true;
    }
}
