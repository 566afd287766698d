using System.Buffers;
using System.Text.Unicode;

namespace RealtimeKit.ServerSentEvents;

/// <summary>Writes fields: a name with its colon and space, a value, LF. A value of several lines repeats the name for each.</summary>
internal static class FieldWriter
{
    // Asked for at once: segments of pipes are at least this large.
    private const int Step = 2048;

    /// <summary>Writes a value that is known to hold no line end.</summary>
    public static void WriteLine<TWriter>(TWriter output, ReadOnlySpan<byte> name, ReadOnlySpan<char> value)
        where TWriter : IBufferWriter<byte>
    {
        // A UTF-16 unit takes at most three bytes of UTF-8.
        var most = name.Length + (value.Length * 3) + 1;
        if (value.Length < Step / 4)
        {
            var span = output.GetSpan(most);
            name.CopyTo(span);
            Utf8.FromUtf16(value, span[name.Length..], out _, out var written);
            span[name.Length + written] = (byte)'\n';
            output.Advance(name.Length + written + 1);
            return;
        }

        Write(output, name);
        WriteText(output, value);
        Write(output, "\n"u8);
    }

    public static void WriteLines<TWriter>(TWriter output, ReadOnlySpan<byte> name, ReadOnlySpan<char> text)
        where TWriter : IBufferWriter<byte>
    {
        while (true)
        {
            var end = text.IndexOfAny('\r', '\n');
            if (end < 0)
            {
                WriteLine(output, name, text);
                return;
            }

            WriteLine(output, name, text[..end]);
            text = text[(end + (IsCarriageReturnLineFeed(text, end) ? 2 : 1))..];
        }
    }

    public static void WriteLines<TWriter>(TWriter output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
        where TWriter : IBufferWriter<byte>
    {
        while (true)
        {
            int end;
            if (text.Length <= Step / 2)
            {
                // One request for memory a line: most data is short.
                var span = output.GetSpan(name.Length + text.Length + 1);
                name.CopyTo(span);
                end = LineEnd.CopyUntil(text, span[name.Length..]);
                span[name.Length + end] = (byte)'\n';
                output.Advance(name.Length + end + 1);
            }
            else
            {
                Write(output, name);
                end = WriteUpToLineEnd(output, text);
                Write(output, "\n"u8);
            }

            if (end == text.Length)
                return;
            var isPair = text[end] == (byte)'\r' && end + 1 < text.Length && text[end + 1] == (byte)'\n';
            text = text[(end + (isPair ? 2 : 1))..];
        }
    }

    public static void WriteLines<TWriter>(TWriter output, ReadOnlySpan<byte> name, in ReadOnlySequence<byte> text)
        where TWriter : IBufferWriter<byte>
    {
        if (text.IsSingleSegment)
        {
            WriteLines(output, name, text.FirstSpan);
            return;
        }

        Write(output, name);
        var afterCarriageReturn = false;
        foreach (var segment in text)
        {
            var rest = segment.Span;
            while (!rest.IsEmpty)
            {
                // A CRLF may be cut between segments.
                if (afterCarriageReturn && rest[0] == (byte)'\n')
                    rest = rest[1..];
                afterCarriageReturn = false;

                var end = WriteUpToLineEnd(output, rest);
                if (end == rest.Length)
                    break;
                Write(output, "\n"u8);
                Write(output, name);
                afterCarriageReturn = rest[end] == (byte)'\r';
                rest = rest[(end + 1)..];
            }
        }

        Write(output, "\n"u8);
    }

    public static void Write<TWriter>(TWriter output, ReadOnlySpan<byte> bytes)
        where TWriter : IBufferWriter<byte>
    {
        while (bytes.Length > Step)
        {
            // Whatever the segment has room for, instead of a segment as large as the value.
            var span = output.GetSpan(Step);
            var count = Math.Min(span.Length, bytes.Length);
            bytes[..count].CopyTo(span);
            output.Advance(count);
            bytes = bytes[count..];
        }

        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }

    /// <summary>Copies up to the first CR or LF and returns its index, or the length.</summary>
    private static int WriteUpToLineEnd<TWriter>(TWriter output, ReadOnlySpan<byte> text)
        where TWriter : IBufferWriter<byte>
    {
        var copied = 0;
        while (copied < text.Length)
        {
            var span = output.GetSpan(Math.Min(text.Length - copied, Step));
            var count = LineEnd.CopyUntil(text[copied..], span);
            output.Advance(count);
            copied += count;
            if (count < span.Length)
                break;
        }

        return copied;
    }

    private static void WriteText<TWriter>(TWriter output, ReadOnlySpan<char> text)
        where TWriter : IBufferWriter<byte>
    {
        while (!text.IsEmpty)
        {
            Utf8.FromUtf16(text, output.GetSpan(Math.Clamp(text.Length, 16, Step)), out var read, out var written);
            output.Advance(written);
            text = text[read..];
        }
    }

    private static bool IsCarriageReturnLineFeed(ReadOnlySpan<char> text, int index) =>
        text[index] == '\r' && index + 1 < text.Length && text[index + 1] == '\n';
}
