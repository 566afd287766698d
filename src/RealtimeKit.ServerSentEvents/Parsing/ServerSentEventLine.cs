using System.Buffers;
using System.Buffers.Binary;
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
    /// The names of the four fields with their colons, as the first bytes of a line, little-endian. They may be compared with bytes that
    /// reach beyond the line: none contains a line end.
    /// </summary>
    public const ulong DataPrefix = 0x0000_003A_6174_6164;
    public const ulong EventPrefix = 0x0000_3A74_6E65_7665;
    public const ulong RetryPrefix = 0x0000_3A79_7274_6572;
    public const ulong IdPrefix = 0x0000_0000_003A_6469;
    public const ulong ThreeBytes = 0x0000_0000_00FF_FFFF;
    public const ulong FiveBytes = 0x0000_00FF_FFFF_FFFF;
    public const ulong SixBytes = 0x0000_FFFF_FFFF_FFFF;

    /// <summary>The length of a prefix, with the one space that may follow it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PassSpace(ulong head, int prefix) => (byte)(head >> (8 * prefix)) == (byte)' ' ? prefix + 1 : prefix;

    /// <summary>The eight bytes from here on, little-endian.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadHead(ref byte line)
    {
        var head = Unsafe.ReadUnaligned<ulong>(ref line);
        return BitConverter.IsLittleEndian ? head : BinaryPrimitives.ReverseEndianness(head);
    }

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
    public static bool ContainsNul(ReadOnlySpan<byte> value)
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

    /// <summary>Reads a retry field's milliseconds; false where it is to be ignored.</summary>
    public static bool TryParseRetry(ReadOnlySpan<byte> value, out long milliseconds)
    {
        milliseconds = ParseRetry(value);
        return !value.IsEmpty && IsDigits(value);
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
