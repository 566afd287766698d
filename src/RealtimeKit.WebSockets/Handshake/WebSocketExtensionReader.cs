namespace RealtimeKit.WebSockets;

/// <summary>
/// Reads the list of <c>Sec-WebSocket-Extensions</c> (RFC 6455 §9.1) offer by offer, over all lines of the header, without
/// allocating. An offer is checked as a whole before it is given, so that enumerating its parameters cannot fail.
/// </summary>
/// <remarks>
/// <para>The grammar is that of RFC 6455: <c>token *( ";" token [ "=" ( token | quoted-string ) ] )</c>, white space allowed between
/// its parts (the implied *LWS of RFC 2616), and what a quoted-string says must be a token again. Empty list elements are skipped
/// (RFC 9110 §5.6.1.2) but counted; a header without any element is malformed.</para>
/// <para>Meaning is left to the caller: unknown extensions, repeated and unknown parameters are given as they stand.
/// When <see cref="Read"/> returns <see langword="false"/>, look at <see cref="Error"/>: malformed data must fail the handshake.</para>
/// </remarks>
public ref struct WebSocketExtensionReader
{
    private readonly WebSocketHeaderValues _values;
    private ReadOnlySpan<char> _line;
    private int _position;
    private int _nextLine;
    private int _remaining;
    private bool _inLine;
    private bool _any;

    /// <summary>Starts before the first offer.</summary>
    /// <param name="values">The header's values.</param>
    /// <param name="maxElements">The most elements to read, empty ones and parameters included; default 64.</param>
    public WebSocketExtensionReader(in WebSocketHeaderValues values, int maxElements = 64)
    {
        _values = values;
        _remaining = maxElements;
    }

    /// <summary>The offer at which the reader stands; valid as long as the header's values.</summary>
    public WebSocketExtensionOffer Current { get; private set; }

    /// <summary>
    /// Why the reader stopped early: <see cref="WebSocketHandshakeError.ExtensionsMalformed"/> or
    /// <see cref="WebSocketHandshakeError.TooManyListElements"/>; <see cref="WebSocketHandshakeError.None"/> at the regular end.
    /// </summary>
    public WebSocketHandshakeError Error { get; private set; }

    /// <summary>Reads the next offer.</summary>
    /// <returns><see langword="false"/> at the end and at an error.</returns>
    public bool Read()
    {
        Current = default;
        while (Error == WebSocketHandshakeError.None)
        {
            if (!_inLine)
            {
                if (_nextLine == _values.Count)
                {
                    // The list needs one element (1#extension).
                    return _any || _values.Count == 0 ? false : Fail(WebSocketHandshakeError.ExtensionsMalformed);
                }
                _line = _values[_nextLine++];
                _position = 0;
                _inLine = true;
            }
            if (--_remaining < 0)
                return Fail(WebSocketHandshakeError.TooManyListElements);
            if (ReadElement())
                return true;
        }
        return false;
    }

    // One list element, and the comma or the end of the line behind it. False for an empty element too.
    private bool ReadElement()
    {
        SkipWhitespace();
        if (TryEndElement())
            return false;

        var name = ReadToken();
        if (name.IsEmpty)
            return Fail(WebSocketHandshakeError.ExtensionsMalformed);

        SkipWhitespace();
        var parametersStart = _position;
        var parametersEnd = _position;
        var count = 0;
        while (!TryEndElement())
        {
            if (_line[_position] != ';')
                return Fail(WebSocketHandshakeError.ExtensionsMalformed);
            if (--_remaining < 0)
                return Fail(WebSocketHandshakeError.TooManyListElements);
            _position++;
            if (!WebSocketExtensionParameter.TryRead(_line, ref _position, out _))
                return Fail(WebSocketHandshakeError.ExtensionsMalformed);
            parametersEnd = _position;
            count++;
            SkipWhitespace();
        }

        _any = true;
        Current = new WebSocketExtensionOffer(name, _line[parametersStart..parametersEnd], count);
        return true;
    }

    private bool TryEndElement()
    {
        if (_position < _line.Length && _line[_position] != ',')
            return false;
        _inLine = _position < _line.Length;
        _position++;
        return true;
    }

    private ReadOnlySpan<char> ReadToken()
    {
        var token = _line.Slice(_position, HttpGrammar.TokenLength(_line[_position..]));
        _position += token.Length;
        return token;
    }

    private void SkipWhitespace() => _position = HttpGrammar.SkipWhitespace(_line, _position);

    private bool Fail(WebSocketHandshakeError error)
    {
        Error = error;
        return false;
    }
}
