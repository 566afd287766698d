using System.Globalization;

namespace RealtimeKit.WebSockets;

/// <summary>One parameter of an extension (RFC 6455 §9.1): a name, and a value where one is given.</summary>
public readonly ref struct WebSocketExtensionParameter
{
    // As received: without the quotes, but with the backslashes.
    private readonly ReadOnlySpan<char> _rawValue;
    private readonly bool _isEscaped;

    private WebSocketExtensionParameter(
        ReadOnlySpan<char> name, ReadOnlySpan<char> rawValue, bool hasValue, bool isQuoted, bool isEscaped)
    {
        Name = name;
        _rawValue = rawValue;
        HasValue = hasValue;
        IsQuoted = isQuoted;
        _isEscaped = isEscaped;
    }

    /// <summary>The parameter's name: a token, compared with case.</summary>
    public ReadOnlySpan<char> Name { get; }

    /// <summary>Whether a value is given. There are no empty values: what a quoted-string says must be a token.</summary>
    public bool HasValue { get; }

    /// <summary>Whether the value was given as a quoted-string, which means the same as the token in it.</summary>
    public bool IsQuoted { get; }

    /// <summary>
    /// The value: a token, unquoted; empty where none is given. Allocates only where a quoted-string holds a backslash, which no
    /// usual peer sends.
    /// </summary>
    public ReadOnlySpan<char> Value => _isEscaped ? Unescape(_rawValue) : _rawValue;

    /// <summary>
    /// Reads the value as a number in its only form: ASCII digits, no sign, no leading zero (so RFC 7692 §7.1.2 writes window bits).
    /// </summary>
    /// <param name="number">The number, or 0.</param>
    /// <returns><see langword="false"/> if the value is absent, is no such number, or is above <see cref="int.MaxValue"/>.</returns>
    public bool TryGetInt32(out int number)
    {
        var value = Value;
        number = 0;
        return !(value.Length > 1 && value[0] == '0')
            && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Reads white space, a name and its value. On failure the position is of no use.</summary>
    internal static bool TryRead(ReadOnlySpan<char> text, scoped ref int position, out WebSocketExtensionParameter parameter)
    {
        parameter = default;
        position = HttpGrammar.SkipWhitespace(text, position);
        var name = text.Slice(position, HttpGrammar.TokenLength(text[position..]));
        if (name.IsEmpty)
            return false;
        position += name.Length;

        var equals = HttpGrammar.SkipWhitespace(text, position);
        if (equals == text.Length || text[equals] != '=')
        {
            parameter = new(name, default, hasValue: false, isQuoted: false, isEscaped: false);
            return true;
        }

        position = HttpGrammar.SkipWhitespace(text, equals + 1);
        if (position < text.Length && text[position] == '"')
            return TryReadQuoted(text, name, ref position, out parameter);

        var value = text.Slice(position, HttpGrammar.TokenLength(text[position..]));
        position += value.Length;
        parameter = new(name, value, hasValue: true, isQuoted: false, isEscaped: false);
        return !value.IsEmpty;
    }

    // RFC 6455 §9.1: "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the
    // 'token' ABNF." So only tchars may stand in it, each with or without a backslash before it (RFC 9110 §5.6.4).
    private static bool TryReadQuoted(
        ReadOnlySpan<char> text, ReadOnlySpan<char> name, scoped ref int position, out WebSocketExtensionParameter parameter)
    {
        parameter = default;
        var start = ++position;
        var isEscaped = false;
        while (position < text.Length && text[position] != '"')
        {
            if (text[position] == '\\')
            {
                isEscaped = true;
                position++;
            }
            if (position == text.Length || !HttpGrammar.IsTokenChar(text[position]))
                return false;
            position++;
        }
        if (position == text.Length || position == start)
            return false;

        parameter = new(name, text[start..position], hasValue: true, isQuoted: true, isEscaped);
        position++;
        return true;
    }

    private static ReadOnlySpan<char> Unescape(ReadOnlySpan<char> raw)
    {
        // A backslash is no tchar, so each one here escapes what follows.
        var value = new char[raw.Length];
        var length = 0;
        foreach (var character in raw)
            if (character != '\\')
                value[length++] = character;
        return value.AsSpan(0, length);
    }
}
