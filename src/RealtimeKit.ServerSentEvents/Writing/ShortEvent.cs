using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace RealtimeKit.ServerSentEvents;

/// <summary>An event of one line of data that is short, as most are: one request for memory, one advance.</summary>
internal static class ShortEvent
{
    /// <summary>The bytes of the longest retry field: name, 19 digits, line feed.</summary>
    public const int MaxRetryLength = 27;

    private const int LongestData = 1024;
    private const int LongestNames = 256;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWrite<TWriter>(TWriter output, ReadOnlySpan<byte> data, string? eventType, string? id, TimeSpan? retry)
        where TWriter : IBufferWriter<byte>
    {
        if (data.Length > LongestData || LineEnd.IndexOf(data) >= 0)
            return false;

        if (eventType is null && id is null && retry is null)
        {
            var line = output.GetSpan(data.Length + 8);
            output.Advance(WriteData(line, data));
            return true;
        }

        return TryWriteWithFields(output, data, eventType, id, retry);
    }

    public static bool TryWrite<TWriter>(TWriter output, ReadOnlySpan<char> data, string? eventType, string? id, TimeSpan? retry)
        where TWriter : IBufferWriter<byte>
    {
        if (data.Length > LongestData || data.ContainsAny('\r', '\n') || !TryGetLength(eventType, id, out var fields))
            return false;

        // A UTF-16 unit takes at most three bytes of UTF-8.
        var span = output.GetSpan(fields + (data.Length * 3) + 8);
        var position = WriteFields(span, eventType, id, retry);
        position += WriteField(span[position..], "data: "u8, data);
        span[position++] = (byte)'\n';
        output.Advance(position);
        return true;
    }

    public static int WriteRetry(Span<byte> span, TimeSpan retry)
    {
        "retry: "u8.CopyTo(span);
        Utf8Formatter.TryFormat(retry.Ticks / TimeSpan.TicksPerMillisecond, span[7..], out var digits);
        span[7 + digits] = (byte)'\n';
        return 8 + digits;
    }

    private static bool TryWriteWithFields<TWriter>(TWriter output, ReadOnlySpan<byte> data, string? eventType, string? id, TimeSpan? retry)
        where TWriter : IBufferWriter<byte>
    {
        if (!TryGetLength(eventType, id, out var fields))
            return false;
        var span = output.GetSpan(fields + data.Length + 8);
        var position = WriteFields(span, eventType, id, retry);
        output.Advance(position + WriteData(span[position..], data));
        return true;
    }

    private static bool TryGetLength(string? eventType, string? id, out int most)
    {
        var names = (eventType?.Length ?? 0) + (id?.Length ?? 0);
        most = (names * 3) + 8 + 5 + MaxRetryLength;
        return names <= LongestNames;
    }

    /// <summary>Checks all fields, then writes them.</summary>
    private static int WriteFields(Span<byte> span, string? eventType, string? id, TimeSpan? retry)
    {
        ServerSentEventFormatter.Validate(eventType, id, retry);
        var position = 0;
        if (!string.IsNullOrEmpty(eventType))
            position = WriteField(span, "event: "u8, eventType);
        if (id is not null)
            position += WriteField(span[position..], "id: "u8, id);
        if (retry is { } time)
            position += WriteRetry(span[position..], time);
        return position;
    }

    private static int WriteField(Span<byte> span, ReadOnlySpan<byte> name, ReadOnlySpan<char> value)
    {
        name.CopyTo(span);
        Utf8.FromUtf16(value, span[name.Length..], out _, out var written);
        span[name.Length + written] = (byte)'\n';
        return name.Length + written + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteData(Span<byte> span, ReadOnlySpan<byte> data)
    {
        "data: "u8.CopyTo(span);
        data.CopyTo(span[6..]);
        span[data.Length + 6] = (byte)'\n';
        span[data.Length + 7] = (byte)'\n';
        return data.Length + 8;
    }
}
