using System.Text;

namespace RealtimeKit.Topics;

/// <summary>What a topic may be called: 1 to 256 bytes as UTF-8, without control characters (U+0000–U+001F, U+007F–U+009F) or lone surrogates. Names are case-sensitive.</summary>
public static class TopicName
{
    /// <summary>The longest name, in bytes as UTF-8.</summary>
    public const int MaxLength = 256;

    /// <summary>Whether a name is allowed. Never throws.</summary>
    /// <param name="name">The name.</param>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > MaxLength)
            return false;
        var bytes = 0;
        foreach (var rune in name.EnumerateRunes())
        {
            // The enumerator gives U+FFFD for a lone surrogate; the character itself has no business in a name either.
            if (Rune.IsControl(rune) || rune == Rune.ReplacementChar)
                return false;
            bytes += rune.Utf8SequenceLength;
        }

        return bytes <= MaxLength;
    }

    internal static void ThrowIfInvalid(string name, string argument)
    {
        ArgumentNullException.ThrowIfNull(name, argument);
        if (!IsValid(name))
            throw new ArgumentException("A topic's name has 1 to 256 bytes as UTF-8 and no control characters.", argument);
    }
}
