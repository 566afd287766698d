using System.Buffers;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>The few rules of HTTP's grammar that the handshake needs, over spans and in linear time.</summary>
internal static class HttpGrammar
{
    private const string Whitespace = " \t";

    // RFC 9110 §5.6.2 tchar: the same set as RFC 2616's token, which RFC 6455 refers to.
    private static readonly SearchValues<char> TokenChars = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsToken(ReadOnlySpan<char> value) => !value.IsEmpty && !value.ContainsAnyExcept(TokenChars);

    public static bool IsTokenChar(char value) => TokenChars.Contains(value);

    /// <summary>The length of the token that a text begins with; 0 if it begins with none.</summary>
    public static int TokenLength(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExcept(TokenChars);
        return end < 0 ? text.Length : end;
    }

    public static int SkipWhitespace(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length && text[position] is ' ' or '\t')
            position++;
        return position;
    }

    public static ReadOnlySpan<char> Trim(ReadOnlySpan<char> value) => value.Trim(Whitespace);

    /// <summary>ASCII only: ordinal case folding would take the Kelvin sign U+212A for a k.</summary>
    public static bool EqualsIgnoreCase(ReadOnlySpan<char> left, ReadOnlySpan<char> right) => Ascii.EqualsIgnoreCase(left, right);

    /// <summary>Whether any element of a comma-separated list is this token, compared without case (RFC 9110 §5.6.1).</summary>
    public static bool ListContains(in WebSocketHeaderValues values, ReadOnlySpan<char> token)
    {
        for (var i = 0; i < values.Count; i++)
        {
            var line = values[i];
            foreach (var element in line.Split(','))
                if (EqualsIgnoreCase(Trim(line[element]), token))
                    return true;
        }
        return false;
    }
}
