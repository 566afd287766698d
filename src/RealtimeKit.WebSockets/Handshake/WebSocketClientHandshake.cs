namespace RealtimeKit.WebSockets;

/// <summary>
/// The client's side of one opening handshake over HTTP/1.1 (RFC 6455 §4.1) or HTTP/2 and HTTP/3 (RFC 8441, RFC 9220): the headers to
/// send, and the check of what comes back. A new handshake, also a second attempt, takes a new object and so a new key.
/// </summary>
/// <remarks>Thread-safe, as nothing changes after construction. What comes from the wire never throws and costs linear time.</remarks>
public sealed class WebSocketClientHandshake
{
    private readonly WebSocketHandshakeOptions _options;

    /// <summary>Prepares a handshake with a new key.</summary>
    /// <param name="options">The limits and the subprotocols to offer; <see langword="null"/> for the defaults.</param>
    /// <param name="extensions">
    /// The value of <c>Sec-WebSocket-Extensions</c> to offer, as <see cref="WebSocketExtensionWriter"/> writes it;
    /// <see langword="null"/> or empty for none.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="extensions"/> breaks the grammar of RFC 6455 §9.1 or the limits.</exception>
    public WebSocketClientHandshake(WebSocketHandshakeOptions? options = null, string? extensions = null)
    {
        _options = options ?? WebSocketHandshakeOptions.Default;
        Extensions = string.IsNullOrEmpty(extensions) ? null : extensions;
        Key = WebSocketKey.Create();

        var offers = new WebSocketExtensionReader(Extensions, _options.MaxListElements);
        while (offers.Read())
        {
        }
        if (offers.Error != WebSocketHandshakeError.None)
            throw new ArgumentException(WebSocketHandshake.Describe(offers.Error), nameof(extensions));
    }

    /// <summary>The value of <c>Sec-WebSocket-Key</c>; not used on HTTP/2.</summary>
    public string Key { get; }

    /// <summary>The value of <c>Sec-WebSocket-Extensions</c>; <see langword="null"/> if none is offered.</summary>
    public string? Extensions { get; }

    /// <summary>
    /// Gives the request's headers, each once. The method (GET, or CONNECT with <c>:protocol</c> = <c>websocket</c>) is the caller's.
    /// </summary>
    /// <typeparam name="TState">What the callback works on; passing it avoids a closure.</typeparam>
    /// <param name="httpVersion">The version of HTTP: from 2 on <c>Upgrade</c>, <c>Connection</c> and the key are left out (RFC 8441 §5).</param>
    /// <param name="state">Passed to the callback.</param>
    /// <param name="setHeader">Called with the state, a header's name and its value.</param>
    /// <exception cref="ArgumentNullException"><paramref name="httpVersion"/> or <paramref name="setHeader"/> is <see langword="null"/>.</exception>
    public void WriteHeaders<TState>(Version httpVersion, TState state, Action<TState, string, string> setHeader)
    {
        ArgumentNullException.ThrowIfNull(httpVersion);
        ArgumentNullException.ThrowIfNull(setHeader);

        if (httpVersion.Major < 2)
        {
            setHeader(state, WebSocketHeaderNames.Upgrade, "websocket");
            setHeader(state, WebSocketHeaderNames.Connection, "Upgrade");
            setHeader(state, WebSocketHeaderNames.SecWebSocketKey, Key);
        }
        setHeader(state, WebSocketHeaderNames.SecWebSocketVersion, WebSocketHandshake.Version);
        if (_options.SubProtocols.Count > 0)
            setHeader(state, WebSocketHeaderNames.SecWebSocketProtocol, string.Join(", ", _options.SubProtocols));
        if (Extensions is not null)
            setHeader(state, WebSocketHeaderNames.SecWebSocketExtensions, Extensions);
    }

    /// <summary>
    /// Checks a response. The extensions it names were offered; whether their parameters suit is for the extension to say.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="subProtocol">The subprotocol agreed on, in the string that was offered; <see langword="null"/> for none.</param>
    /// <returns><see cref="WebSocketHandshakeError.None"/> if the connection is open; otherwise it must be failed.</returns>
    public WebSocketHandshakeError Validate(in WebSocketHandshakeResponse response, out string? subProtocol)
    {
        subProtocol = null;
        var isHttp1 = response.HttpVersion is null || response.HttpVersion.Major < 2;
        if (isHttp1 ? response.StatusCode != 101 : response.StatusCode is < 200 or > 299)
            return WebSocketHandshakeError.UnexpectedStatus;

        var error = CheckSize(in response);
        if (error == WebSocketHandshakeError.None && isHttp1)
            error = CheckUpgrade(in response);
        if (error == WebSocketHandshakeError.None)
            error = CheckSubProtocol(in response, out subProtocol);
        if (error == WebSocketHandshakeError.None)
            error = CheckExtensions(in response);
        if (error != WebSocketHandshakeError.None)
            subProtocol = null;
        return error;
    }

    private WebSocketHandshakeError CheckSize(in WebSocketHandshakeResponse response)
    {
        var total = (long)response.Connection.TotalLength + response.Upgrade.TotalLength + response.Accept.TotalLength
            + response.SubProtocol.TotalLength + response.Extensions.TotalLength;
        return total > _options.MaxHeaderBytes ? WebSocketHandshakeError.HeadersTooLarge : WebSocketHandshakeError.None;
    }

    private WebSocketHandshakeError CheckUpgrade(in WebSocketHandshakeResponse response)
    {
        // RFC 6455 §4.1: in a response the value is websocket itself, not a list that holds it.
        if (response.Upgrade.Count != 1 || !HttpGrammar.EqualsIgnoreCase(HttpGrammar.Trim(response.Upgrade[0]), "websocket"))
            return WebSocketHandshakeError.ResponseUpgradeInvalid;
        if (!HttpGrammar.ListContains(response.Connection, "upgrade"))
            return WebSocketHandshakeError.ResponseConnectionInvalid;

        return response.Accept.Count switch
        {
            0 => WebSocketHandshakeError.AcceptMissing,
            1 => WebSocketKey.IsAcceptOf(HttpGrammar.Trim(response.Accept[0]), Key)
                ? WebSocketHandshakeError.None
                : WebSocketHandshakeError.AcceptInvalid,
            _ => WebSocketHandshakeError.AcceptRepeated,
        };
    }

    private WebSocketHandshakeError CheckSubProtocol(in WebSocketHandshakeResponse response, out string? subProtocol)
    {
        subProtocol = null;
        if (response.SubProtocol.Count == 0)
            return WebSocketHandshakeError.None;
        if (response.SubProtocol.Count > 1)
            return WebSocketHandshakeError.SubProtocolRepeated;

        var name = HttpGrammar.Trim(response.SubProtocol[0]);
        foreach (var offered in _options.SubProtocols)
        {
            if (name.SequenceEqual(offered))
            {
                subProtocol = offered;
                return WebSocketHandshakeError.None;
            }
        }
        return WebSocketHandshakeError.SubProtocolNotOffered;
    }

    private WebSocketHandshakeError CheckExtensions(in WebSocketHandshakeResponse response)
    {
        if (response.Extensions.Count > 1)
            return WebSocketHandshakeError.ExtensionsRepeated;

        var agreed = new WebSocketExtensionReader(response.Extensions, _options.MaxListElements);
        while (agreed.Read())
            if (!IsOffered(agreed.Current.Name))
                return WebSocketHandshakeError.ExtensionNotOffered;
        return agreed.Error;
    }

    private bool IsOffered(ReadOnlySpan<char> name)
    {
        var offers = new WebSocketExtensionReader(Extensions, _options.MaxListElements);
        while (offers.Read())
            if (offers.Current.Name.SequenceEqual(name))
                return true;
        return false;
    }
}
