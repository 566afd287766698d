using System.Buffers;

namespace RealtimeKit.ServerSentEvents;

/// <summary>One leading byte order mark is no part of a stream (WHATWG HTML §9.2.5), and so of no line.</summary>
internal static class ByteOrderMark
{
    public const int Length = 3;

    private static ReadOnlySpan<byte> Bytes => "\uFEFF"u8;

    public static bool Begins(ReadOnlySpan<byte> stream) => stream.StartsWith(Bytes);

    public static bool Begins(in ReadOnlySequence<byte> stream)
    {
        Span<byte> start = stackalloc byte[Length];
        return stream.Length >= Length && Begins(CopyStart(stream, start));
    }

    /// <summary>Whether a line begins with one, or is too short yet to say that it does not.</summary>
    public static bool MayBegin(ReadOnlySpan<byte> line) => line.Length < Length ? Bytes.StartsWith(line) : Begins(line);

    /// <inheritdoc cref="MayBegin(ReadOnlySpan{byte})"/>
    public static bool MayBegin(in ReadOnlySequence<byte> line)
    {
        Span<byte> start = stackalloc byte[Length];
        return MayBegin(CopyStart(line, start));
    }

    /// <inheritdoc cref="MayBegin(ReadOnlySpan{byte})"/>
    /// <param name="line">The line's first bytes.</param>
    /// <param name="rest">The bytes that follow.</param>
    public static bool MayBegin(ReadOnlySpan<byte> line, ReadOnlySpan<byte> rest)
    {
        if (line.Length >= Length)
            return Begins(line);
        Span<byte> start = stackalloc byte[Length];
        line.CopyTo(start);
        rest = rest[..Math.Min(rest.Length, Length - line.Length)];
        rest.CopyTo(start[line.Length..]);
        return MayBegin(start[..(line.Length + rest.Length)]);
    }

    private static ReadOnlySpan<byte> CopyStart(in ReadOnlySequence<byte> line, Span<byte> start)
    {
        var count = (int)Math.Min(line.Length, Length);
        line.Slice(0, count).CopyTo(start);
        return start[..count];
    }
}
