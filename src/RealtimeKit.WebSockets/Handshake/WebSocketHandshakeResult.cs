namespace RealtimeKit.WebSockets;

/// <summary>
/// A server's answer to an opening handshake: the status and the headers to send, for acceptance and refusal alike.
/// </summary>
/// <remarks>
/// A server that chooses by itself replaces the proposal: <c>result with { SubProtocol = "chat" }</c>.
/// </remarks>
public readonly record struct WebSocketHandshakeResult
{
    private readonly bool _isHttp1;

    internal WebSocketHandshakeResult(WebSocketHandshakeError error, bool isHttp1)
    {
        Error = error;
        _isHttp1 = isHttp1;
        StatusCode = GetStatusCode(error, isHttp1);
    }

    /// <summary>Whether the handshake may be accepted.</summary>
    public bool IsAccepted => StatusCode is 101 or 200;

    /// <summary>Why the handshake is refused; <see cref="WebSocketHandshakeError.None"/> when it is accepted.</summary>
    public WebSocketHandshakeError Error { get; }

    /// <summary>
    /// The response's status: 101 (HTTP/1.1) or 200 (HTTP/2) to accept; 400, 405, 426, 431 or 501 to refuse.
    /// </summary>
    public int StatusCode { get; }

    /// <summary>Why the handshake is refused, in one sentence that names the rule and repeats nothing of the request; empty when accepted.</summary>
    public string Reason => WebSocketHandshake.Describe(Error);

    /// <summary>The value of <c>Sec-WebSocket-Accept</c>; <see langword="null"/> on HTTP/2 and when refused.</summary>
    public string? Accept { get; internal init; }

    /// <summary>
    /// The subprotocol to answer with: the first of the client's that the server knows; <see langword="null"/> for none,
    /// which leaves the header out (RFC 6455 §4.2.2 item 5).
    /// </summary>
    public string? SubProtocol { get; init; }

    /// <summary>The value of <c>Sec-WebSocket-Extensions</c> to answer with; <see langword="null"/> (the default) for none.</summary>
    public string? Extensions { get; init; }

    /// <summary>
    /// Gives the response's headers, each once. Acceptance: <c>Upgrade</c>, <c>Connection</c> and <c>Sec-WebSocket-Accept</c> on
    /// HTTP/1.1, then the subprotocol and the extensions. Refusal: <c>Sec-WebSocket-Version</c> where the version is at fault,
    /// <c>Upgrade</c> and <c>Connection</c> with status 426, <c>Allow</c> with 405.
    /// </summary>
    /// <typeparam name="TState">What the callback works on; passing it avoids a closure.</typeparam>
    /// <param name="state">Passed to the callback.</param>
    /// <param name="setHeader">Called with the state, a header's name and its value.</param>
    /// <exception cref="ArgumentNullException"><paramref name="setHeader"/> is <see langword="null"/>.</exception>
    public void WriteHeaders<TState>(TState state, Action<TState, string, string> setHeader)
    {
        ArgumentNullException.ThrowIfNull(setHeader);

        // RFC 9110 §15.5.22: a 426 names the protocol in Upgrade, and §7.8 wants Connection with it.
        if (StatusCode is 101 or 426)
        {
            setHeader(state, WebSocketHeaderNames.Upgrade, "websocket");
            setHeader(state, WebSocketHeaderNames.Connection, "Upgrade");
        }
        if (Accept is not null)
            setHeader(state, WebSocketHeaderNames.SecWebSocketAccept, Accept);
        if (IsAccepted && SubProtocol is not null)
            setHeader(state, WebSocketHeaderNames.SecWebSocketProtocol, SubProtocol);
        if (IsAccepted && Extensions is not null)
            setHeader(state, WebSocketHeaderNames.SecWebSocketExtensions, Extensions);

        // RFC 6455 §4.4: a server that does not support the version names those that it does.
        if (Error is WebSocketHandshakeError.UpgradeRequired or WebSocketHandshakeError.VersionMissing
            or WebSocketHandshakeError.VersionRepeated or WebSocketHandshakeError.VersionNotSupported)
            setHeader(state, WebSocketHeaderNames.SecWebSocketVersion, WebSocketHandshake.Version);

        // RFC 9110 §15.5.6: a 405 lists the methods that the resource supports.
        if (StatusCode == 405)
            setHeader(state, "Allow", _isHttp1 ? "GET" : "CONNECT");
    }

    private static int GetStatusCode(WebSocketHandshakeError error, bool isHttp1) => error switch
    {
        WebSocketHandshakeError.None => isHttp1 ? 101 : 200,
        WebSocketHandshakeError.MethodNotAllowed => 405,
        WebSocketHandshakeError.UpgradeRequired => 426,

        // RFC 9110 §15.5.22 makes Upgrade part of a 426, and RFC 9113 §8.2.2 forbids Upgrade on HTTP/2.
        WebSocketHandshakeError.VersionNotSupported => isHttp1 ? 426 : 400,
        WebSocketHandshakeError.ProtocolNotSupported => 501,
        WebSocketHandshakeError.HeadersTooLarge or WebSocketHandshakeError.TooManyListElements => 431,
        _ => 400,
    };
}
