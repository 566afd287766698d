using System.Buffers;
using System.Runtime.CompilerServices;

namespace RealtimeKit.ServerSentEvents;

/// <summary>The meaning of one line (WHATWG HTML §9.2.6), apart from how lines are found.</summary>
internal static class ServerSentEventLine
{
    /// <summary>The bytes that tell the longest field name, its colon and the space after it.</summary>
    public const int LongestPrefix = 7;

    /// <summary>Says which field a line that is not blank holds; <see cref="ServerSentEventToken.None"/> for one to ignore.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ServerSentEventToken Parse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        // Nearly every line of nearly every stream.
        if (line.Length > 5 && line.StartsWith("data: "u8))
        {
            value = line[6..];
            return ServerSentEventToken.Data;
        }

        return ParseAny(line, out value);
    }

    private static ServerSentEventToken ParseAny(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        var token = ParsePrefix(line, out var prefix);
        value = line[prefix..];
        return token switch
        {
            ServerSentEventToken.Id when value.Contains((byte)0) => ServerSentEventToken.None,
            ServerSentEventToken.Retry when !IsDigits(value) || value.IsEmpty => ServerSentEventToken.None,
            _ => token,
        };
    }

    /// <summary>The same for a line that lies in several segments.</summary>
    public static ServerSentEventToken Parse(in ReadOnlySequence<byte> line, out ReadOnlySequence<byte> value)
    {
        Span<byte> start = stackalloc byte[LongestPrefix];
        var known = (int)Math.Min(line.Length, LongestPrefix);
        line.Slice(0, known).CopyTo(start);
        var token = ParsePrefix(start[..known], out var prefix);
        value = line.Slice(prefix);
        return token switch
        {
            ServerSentEventToken.Id when value.PositionOf((byte)0) is not null => ServerSentEventToken.None,
            ServerSentEventToken.Retry when !IsDigits(value) || value.IsEmpty => ServerSentEventToken.None,
            _ => token,
        };
    }

    /// <summary>Reads a field name, its colon and one space; the name alone is a field with an empty value.</summary>
    private static ServerSentEventToken ParsePrefix(ReadOnlySpan<byte> line, out int length)
    {
        length = 0;
        if (line.IsEmpty)
            return ServerSentEventToken.None;

        var (token, name) = line[0] switch
        {
            (byte)':' => (ServerSentEventToken.Comment, 0),
            (byte)'d' when line.StartsWith("data"u8) => (ServerSentEventToken.Data, 4),
            (byte)'e' when line.StartsWith("event"u8) => (ServerSentEventToken.EventType, 5),
            (byte)'i' when line.StartsWith("id"u8) => (ServerSentEventToken.Id, 2),
            (byte)'r' when line.StartsWith("retry"u8) => (ServerSentEventToken.Retry, 5),
            _ => (ServerSentEventToken.None, 0),
        };

        if (name == line.Length)
        {
            length = name;
            return token;
        }

        // Field names are compared literally: a longer name is another field.
        if (line[name] != (byte)':')
            return ServerSentEventToken.None;
        length = name + 1;
        if (length < line.Length && line[length] == (byte)' ')
            length++;
        return token;
    }

    /// <summary>The number of milliseconds that a retry field names; one too large for 64 bits is the largest that fits.</summary>
    public static long ParseRetry(ReadOnlySpan<byte> digits)
    {
        long milliseconds = 0;
        foreach (var digit in digits)
        {
            if (milliseconds > (long.MaxValue - 9) / 10)
                return long.MaxValue;
            milliseconds = (milliseconds * 10) + (digit - '0');
        }

        return milliseconds;
    }

    private static bool IsDigits(ReadOnlySpan<byte> value) => !value.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static bool IsDigits(in ReadOnlySequence<byte> value)
    {
        foreach (var segment in value)
        {
            if (!IsDigits(segment.Span))
                return false;
        }

        return true;
    }
}
