using System.Buffers.Text;
using System.Globalization;

namespace RealtimeKit.Topics;

/// <summary>
/// A place in a topic's log. Positions of one epoch are ordered by their offset; between epochs nothing is known of what was lost.
/// </summary>
/// <param name="Epoch">Which life of the log: it changes when history is lost or can't be trusted. Greater than 0 for every log.</param>
/// <param name="Offset">The entry's number; 0 is the place before the first entry of the epoch.</param>
public readonly record struct TopicPosition(ulong Epoch, ulong Offset)
    : IComparable<TopicPosition>, ISpanFormattable, IUtf8SpanFormattable, ISpanParsable<TopicPosition>
{
    /// <summary>The length of the longest text form.</summary>
    public const int MaxLength = 41;

    /// <summary>Orders by epoch, then by offset.</summary>
    /// <param name="other">The other position.</param>
    /// <returns>Less than 0, 0 or more than 0.</returns>
    public int CompareTo(TopicPosition other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Offset.CompareTo(other.Offset);

    /// <summary>Whether one position comes before another.</summary>
    /// <param name="left">One position.</param>
    /// <param name="right">The other.</param>
    public static bool operator <(TopicPosition left, TopicPosition right) => left.CompareTo(right) < 0;

    /// <summary>Whether one position comes after another.</summary>
    /// <param name="left">One position.</param>
    /// <param name="right">The other.</param>
    public static bool operator >(TopicPosition left, TopicPosition right) => left.CompareTo(right) > 0;

    /// <summary>Whether one position comes before another or is the same.</summary>
    /// <param name="left">One position.</param>
    /// <param name="right">The other.</param>
    public static bool operator <=(TopicPosition left, TopicPosition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one position comes after another or is the same.</summary>
    /// <param name="left">One position.</param>
    /// <param name="right">The other.</param>
    public static bool operator >=(TopicPosition left, TopicPosition right) => left.CompareTo(right) >= 0;

    /// <summary>The text form, <c>epoch-offset</c> in decimal: also the form of a Redis stream's id.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Offset}");

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <summary>Writes the text form.</summary>
    /// <param name="destination">At least <see cref="MaxLength"/> characters are always enough.</param>
    /// <param name="charsWritten">The length written.</param>
    /// <returns>Whether there was room.</returns>
    public bool TryFormat(Span<char> destination, out int charsWritten) =>
        destination.TryWrite(CultureInfo.InvariantCulture, $"{Epoch}-{Offset}", out charsWritten);

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        TryFormat(destination, out charsWritten);

    /// <summary>Writes the text form as UTF-8.</summary>
    /// <param name="utf8Destination">At least <see cref="MaxLength"/> bytes are always enough.</param>
    /// <param name="bytesWritten">The length written.</param>
    /// <returns>Whether there was room.</returns>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten)
    {
        bytesWritten = 0;
        if (!Utf8Formatter.TryFormat(Epoch, utf8Destination, out var epoch) || epoch == utf8Destination.Length)
            return false;
        utf8Destination[epoch] = (byte)'-';
        if (!Utf8Formatter.TryFormat(Offset, utf8Destination[(epoch + 1)..], out var offset))
            return false;
        bytesWritten = epoch + 1 + offset;
        return true;
    }

    /// <inheritdoc/>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        TryFormat(utf8Destination, out bytesWritten);

    /// <summary>Reads the text form. Never throws.</summary>
    /// <param name="text">Two decimal numbers with a hyphen between them.</param>
    /// <param name="position">The position.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TopicPosition position)
    {
        position = default;
        var hyphen = text.IndexOf('-');
        if (hyphen < 0
            || text.Contains('\0')   // which the BCL overlooks behind a number
            || !ulong.TryParse(text[..hyphen], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !ulong.TryParse(text[(hyphen + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        position = new TopicPosition(epoch, offset);
        return true;
    }

    /// <inheritdoc/>
    public static TopicPosition Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, out var position) ? position : throw new FormatException("Not a topic position: it is written as epoch-offset.");

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out TopicPosition result) => TryParse(s, out result);

    /// <inheritdoc/>
    public static TopicPosition Parse(string s, IFormatProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc/>
    public static bool TryParse(string? s, IFormatProvider? provider, out TopicPosition result) => TryParse(s.AsSpan(), out result);
}
