namespace RealtimeKit.WebSockets;

/// <summary>
/// Reads the list of <c>Sec-WebSocket-Protocol</c> (RFC 6455 §4.3: <c>1#token</c>) over all lines of the header, without allocating.
/// </summary>
/// <remarks>
/// Empty elements are skipped (RFC 9110 §5.6.1.2) but counted. Duplicates are given as they stand;
/// <see cref="WebSocketSubProtocols.Select"/> refuses them. When <see cref="Read"/> returns <see langword="false"/>, look at
/// <see cref="Error"/>.
/// </remarks>
public ref struct WebSocketSubProtocolReader
{
    private readonly WebSocketHeaderValues _values;
    private ReadOnlySpan<char> _rest;
    private int _nextLine;
    private int _remaining;
    private bool _inLine;
    private bool _any;

    /// <summary>Starts before the first element.</summary>
    /// <param name="values">The header's values.</param>
    /// <param name="maxElements">The most elements to read, empty ones included; default 64.</param>
    public WebSocketSubProtocolReader(in WebSocketHeaderValues values, int maxElements = 64)
    {
        _values = values;
        _remaining = maxElements;
    }

    /// <summary>The subprotocol at which the reader stands: a token, compared with case.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Why the reader stopped early; <see cref="WebSocketHandshakeError.None"/> at the regular end.</summary>
    public WebSocketHandshakeError Error { get; private set; }

    /// <summary>Reads the next subprotocol.</summary>
    /// <returns><see langword="false"/> at the end and at an error.</returns>
    public bool Read()
    {
        while (Error == WebSocketHandshakeError.None)
        {
            if (!_inLine)
            {
                if (_nextLine == _values.Count)
                    return Finish();
                _rest = _values[_nextLine++];
                _inLine = true;
            }
            if (--_remaining < 0)
                return Fail(WebSocketHandshakeError.TooManyListElements);

            var comma = _rest.IndexOf(',');
            var element = HttpGrammar.Trim(comma < 0 ? _rest : _rest[..comma]);
            _inLine = comma >= 0;
            _rest = _inLine ? _rest[(comma + 1)..] : default;
            if (element.IsEmpty)
                continue;
            if (!HttpGrammar.IsToken(element))
                return Fail(WebSocketHandshakeError.SubProtocolsMalformed);

            _any = true;
            Current = element;
            return true;
        }
        return false;
    }

    private bool Finish()
    {
        Current = default;

        // RFC 6455 §4.2.2: an empty value is not the same as an absent header, and is not legal.
        if (!_any && _values.Count > 0)
            Error = WebSocketHandshakeError.SubProtocolsMalformed;
        return false;
    }

    private bool Fail(WebSocketHandshakeError error)
    {
        Current = default;
        Error = error;
        return false;
    }
}
