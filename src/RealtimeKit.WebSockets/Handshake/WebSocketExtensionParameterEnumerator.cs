namespace RealtimeKit.WebSockets;

/// <summary>Enumerates the parameters of a <see cref="WebSocketExtensionOffer"/>, which are known to be well-formed.</summary>
public ref struct WebSocketExtensionParameterEnumerator
{
    private readonly ReadOnlySpan<char> _parameters;
    private int _position;
    private WebSocketExtensionParameter _current;

    internal WebSocketExtensionParameterEnumerator(ReadOnlySpan<char> parameters) => _parameters = parameters;

    /// <summary>The parameter at which the enumerator stands.</summary>
    public readonly WebSocketExtensionParameter Current => _current;

    /// <summary>For <c>foreach</c>.</summary>
    /// <returns>A copy of this enumerator.</returns>
    public readonly WebSocketExtensionParameterEnumerator GetEnumerator() => this;

    /// <summary>Moves to the next parameter.</summary>
    /// <returns><see langword="false"/> at the end.</returns>
    public bool MoveNext()
    {
        _position = HttpGrammar.SkipWhitespace(_parameters, _position);
        if (_position == _parameters.Length)
        {
            _current = default;
            return false;
        }
        _position++; // the semicolon
        return WebSocketExtensionParameter.TryRead(_parameters, ref _position, out _current);
    }
}
