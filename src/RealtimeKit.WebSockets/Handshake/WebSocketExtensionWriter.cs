using System.Globalization;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Writes the value of <c>Sec-WebSocket-Extensions</c> (RFC 6455 §9.1): offers of a client, or what a server agrees to.
/// Values are written as tokens, never quoted.
/// </summary>
/// <remarks>Not thread-safe. Checks the application's arguments, so that what it writes can be read.</remarks>
public sealed class WebSocketExtensionWriter
{
    private readonly StringBuilder _value = new();

    /// <summary>Begins an extension; the parameters that follow belong to it.</summary>
    /// <param name="name">The extension's name, a token.</param>
    /// <returns>This writer.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is not a token.</exception>
    public WebSocketExtensionWriter WriteExtension(ReadOnlySpan<char> name)
    {
        if (!HttpGrammar.IsToken(name))
            throw NotAToken(nameof(name));
        if (_value.Length > 0)
            _value.Append(", ");
        _value.Append(name);
        return this;
    }

    /// <summary>Writes a parameter without a value.</summary>
    /// <param name="name">The parameter's name, a token.</param>
    /// <returns>This writer.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is not a token.</exception>
    /// <exception cref="InvalidOperationException">No extension has been begun.</exception>
    public WebSocketExtensionWriter WriteParameter(ReadOnlySpan<char> name)
    {
        if (!HttpGrammar.IsToken(name))
            throw NotAToken(nameof(name));
        if (_value.Length == 0)
            throw new InvalidOperationException("A parameter follows its extension: call WriteExtension first.");
        _value.Append("; ").Append(name);
        return this;
    }

    /// <summary>Writes a parameter with a value.</summary>
    /// <param name="name">The parameter's name, a token.</param>
    /// <param name="value">The parameter's value, a token.</param>
    /// <returns>This writer.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> or <paramref name="value"/> is not a token.</exception>
    /// <exception cref="InvalidOperationException">No extension has been begun.</exception>
    public WebSocketExtensionWriter WriteParameter(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        if (!HttpGrammar.IsToken(value))
            throw NotAToken(nameof(value));
        WriteParameter(name);
        _value.Append('=').Append(value);
        return this;
    }

    /// <summary>Writes a parameter with a number.</summary>
    /// <param name="name">The parameter's name, a token.</param>
    /// <param name="value">The parameter's value, not negative.</param>
    /// <returns>This writer.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is not a token.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="value"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">No extension has been begun.</exception>
    public WebSocketExtensionWriter WriteParameter(ReadOnlySpan<char> name, int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        WriteParameter(name);
        _value.Append(CultureInfo.InvariantCulture, $"={value}");
        return this;
    }

    /// <summary>The header's value.</summary>
    /// <returns>The value; empty if no extension was written, in which case the header is left out.</returns>
    public override string ToString() => _value.ToString();

    private static ArgumentException NotAToken(string parameter) =>
        new("The text must be an HTTP token (RFC 9110 §5.6.2).", parameter);
}
