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
        if (line.StartsWith("data: "u8))
        {
            value = line[6..];
            return ServerSentEventToken.Data;
        }

        return ParseAny(line, out value);
    }

    /// <summary>
    /// The same where the usual forms of the four fields can be told from the first eight bytes, which may reach beyond the line: none
    /// of the names that they are compared with contains a line end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ServerSentEventToken Parse(ulong head, ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        if ((head & 0x0000_FFFF_FFFF_FFFF) == DataPrefix)
        {
            value = line[6..];
            return ServerSentEventToken.Data;
        }

        if ((uint)head == IdPrefix)
        {
            value = line[4..];
            return ContainsNul(value) ? ServerSentEventToken.None : ServerSentEventToken.Id;
        }

        if ((head & 0x00FF_FFFF_FFFF_FFFF) == EventPrefix)
        {
            value = line[7..];
            return ServerSentEventToken.EventType;
        }

        if ((head & 0x00FF_FFFF_FFFF_FFFF) == RetryPrefix)
        {
            value = line[7..];
            return value.IsEmpty || !IsDigits(value) ? ServerSentEventToken.None : ServerSentEventToken.Retry;
        }

        return ParseAny(line, out value);
    }

    // "data: ", "event: ", "retry: " and "id: " as little-endian numbers.
    private const ulong DataPrefix = 0x0000_203A_6174_6164;
    private const ulong EventPrefix = 0x0020_3A74_6E65_7665;
    private const ulong RetryPrefix = 0x0020_3A79_7274_6572;
    private const uint IdPrefix = 0x203A_6469;

    private static ServerSentEventToken ParseAny(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        var token = ParsePrefix(line, out var prefix);
        value = line[prefix..];
        if (token == ServerSentEventToken.Id && ContainsNul(value))
            return ServerSentEventToken.None;
        if (token == ServerSentEventToken.Retry && (value.IsEmpty || !IsDigits(value)))
            return ServerSentEventToken.None;
        return token;
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

        ServerSentEventToken token;
        int name;
        switch (line[0])
        {
            case (byte)':':
                token = ServerSentEventToken.Comment;
                name = 0;
                break;
            case (byte)'d' when line.StartsWith("data"u8):
                token = ServerSentEventToken.Data;
                name = 4;
                break;
            case (byte)'e' when line.StartsWith("event"u8):
                token = ServerSentEventToken.EventType;
                name = 5;
                break;
            case (byte)'i' when line.StartsWith("id"u8):
                token = ServerSentEventToken.Id;
                name = 2;
                break;
            case (byte)'r' when line.StartsWith("retry"u8):
                token = ServerSentEventToken.Retry;
                name = 5;
                break;
            default:
                return ServerSentEventToken.None;
        }

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

    // Ids and retry fields are a few bytes: too short for a vector to pay.
    private static bool ContainsNul(ReadOnlySpan<byte> value)
    {
        if (value.Length > 32)
            return value.Contains((byte)0);
        foreach (var b in value)
        {
            if (b == 0)
                return true;
        }

        return false;
    }

    private static bool IsDigits(ReadOnlySpan<byte> value)
    {
        foreach (var b in value)
        {
            if (!char.IsAsciiDigit((char)b))
                return false;
        }

        return true;
    }

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
