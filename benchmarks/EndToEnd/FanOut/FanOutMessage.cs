using System.Globalization;
using System.Text.Unicode;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// What is published: a number, counted from 1 over the server's life, the time of publishing, and a filling that depends on the number.
/// ASCII without quotes, so that JSON carries it as it is.
/// </summary>
internal static class FanOutMessage
{
    public const int MinSize = 32;

    // "0000000001 00000000000000000001 ": ten digits, twenty digits.
    private const int NumberDigits = 10;
    private const int TimeDigits = 20;

    public static byte[] Create(long number, int size)
    {
        var message = new byte[size];
        message.AsSpan(MinSize).Fill(Filling(number));
        if (!Utf8.TryWrite(message, CultureInfo.InvariantCulture, $"{number:D10} {Clock.Nanoseconds:D20} ", out var written) || written != MinSize)
            throw new BenchmarkException("The message's head does not fit");
        return message;
    }

    /// <summary>Whether this is the message of this number and size, and when it was published.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, long number, int size, out long publishedAt)
    {
        publishedAt = 0;
        return message.Length == size
            && Number(message) == number
            && long.TryParse(message.Slice(NumberDigits + 1, TimeDigits), NumberStyles.None, CultureInfo.InvariantCulture, out publishedAt)
            && message[MinSize..].IndexOfAnyExcept(Filling(number)) < 0;
    }

    /// <summary>The number a message begins with; -1 for none.</summary>
    public static long Number(ReadOnlySpan<byte> message) =>
        message.Length >= NumberDigits && long.TryParse(message[..NumberDigits], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : -1;

    private static byte Filling(long number) => (byte)('a' + (number % 26));
}
