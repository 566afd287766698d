namespace RealtimeKit.WebSockets;

/// <summary>
/// Why an opening handshake failed: one value for each rule. <see cref="WebSocketHandshake.Describe"/> gives a sentence,
/// <see cref="WebSocketHandshakeResult.StatusCode"/> what a server answers.
/// </summary>
public enum WebSocketHandshakeError : byte
{
    /// <summary>No error.</summary>
    None,

    // What a server finds in a request.

    /// <summary>The method is not GET (HTTP/1.1, RFC 6455 §4.2.1 item 1) or CONNECT (HTTP/2, RFC 8441 §5). Status 405.</summary>
    MethodNotAllowed,

    /// <summary>The request uses HTTP/1.0, where Upgrade must be ignored (RFC 6455 §4.2.1 item 1, RFC 9110 §7.8). Status 400.</summary>
    HttpVersionTooLow,

    /// <summary>An ordinary GET that asks for no upgrade to WebSocket (RFC 9110 §15.5.22). Status 426.</summary>
    UpgradeRequired,

    /// <summary>A handshake without <c>Upgrade: websocket</c> (RFC 6455 §4.2.1 item 3). Status 400.</summary>
    UpgradeMissing,

    /// <summary><c>Connection</c> does not hold <c>Upgrade</c> (RFC 6455 §4.2.1 item 4). Status 400.</summary>
    ConnectionUpgradeMissing,

    /// <summary>An extended CONNECT without <c>:protocol</c> (RFC 8441 §4). Status 400.</summary>
    ProtocolMissing,

    /// <summary>An extended CONNECT whose <c>:protocol</c> is not <c>websocket</c> (RFC 8441 §5, RFC 9220 §3). Status 501.</summary>
    ProtocolNotSupported,

    /// <summary><c>Sec-WebSocket-Version</c> is missing (RFC 6455 §4.2.1 item 6). Status 400.</summary>
    VersionMissing,

    /// <summary><c>Sec-WebSocket-Version</c> stands more than once (RFC 6455 §11.3.5). Status 400.</summary>
    VersionRepeated,

    /// <summary><c>Sec-WebSocket-Version</c> is not 13 (RFC 6455 §4.2.2, §4.4). Status 426, or 400 on HTTP/2.</summary>
    VersionNotSupported,

    /// <summary><c>Sec-WebSocket-Key</c> is missing (RFC 6455 §4.2.1 item 5). Status 400.</summary>
    KeyMissing,

    /// <summary><c>Sec-WebSocket-Key</c> stands more than once (RFC 6455 §11.3.1). Status 400.</summary>
    KeyRepeated,

    /// <summary><c>Sec-WebSocket-Key</c> is not base64 of exactly 16 bytes (RFC 6455 §4.2.1 item 5). Status 400.</summary>
    KeyInvalid,

    // What a client finds in a response.

    /// <summary>The status is not 101 (HTTP/1.1, RFC 6455 §4.1) or 2xx (HTTP/2, RFC 8441 §5).</summary>
    UnexpectedStatus,

    /// <summary>The response's <c>Upgrade</c> is not <c>websocket</c> (RFC 6455 §4.1).</summary>
    ResponseUpgradeInvalid,

    /// <summary>The response's <c>Connection</c> does not hold <c>Upgrade</c> (RFC 6455 §4.1).</summary>
    ResponseConnectionInvalid,

    /// <summary><c>Sec-WebSocket-Accept</c> is missing (RFC 6455 §4.1).</summary>
    AcceptMissing,

    /// <summary><c>Sec-WebSocket-Accept</c> stands more than once (RFC 6455 §11.3.3).</summary>
    AcceptRepeated,

    /// <summary><c>Sec-WebSocket-Accept</c> does not answer the client's key (RFC 6455 §4.1).</summary>
    AcceptInvalid,

    /// <summary>The response's <c>Sec-WebSocket-Protocol</c> stands more than once (RFC 6455 §11.3.4).</summary>
    SubProtocolRepeated,

    /// <summary>The response names a subprotocol that the client did not offer (RFC 6455 §4.1).</summary>
    SubProtocolNotOffered,

    /// <summary>The response's <c>Sec-WebSocket-Extensions</c> stands more than once (RFC 6455 §11.3.2).</summary>
    ExtensionsRepeated,

    /// <summary>The response names an extension that the client did not offer (RFC 6455 §4.1).</summary>
    ExtensionNotOffered,

    // What either may find.

    /// <summary><c>Sec-WebSocket-Protocol</c> is not a list of tokens (RFC 6455 §4.1 item 10, §4.3). Status 400.</summary>
    SubProtocolsMalformed,

    /// <summary>A subprotocol stands twice in the list (RFC 6455 §4.1 item 10: all must be unique). Status 400.</summary>
    SubProtocolDuplicate,

    /// <summary><c>Sec-WebSocket-Extensions</c> breaks the grammar of RFC 6455 §9.1, which fails the handshake. Status 400.</summary>
    ExtensionsMalformed,

    /// <summary>The handshake's header values are longer than <see cref="WebSocketHandshakeOptions.MaxHeaderBytes"/>. Status 431.</summary>
    HeadersTooLarge,

    /// <summary>A list holds more than <see cref="WebSocketHandshakeOptions.MaxListElements"/> elements. Status 431.</summary>
    TooManyListElements,

    /// <summary>The server's answer to the offer of permessage-deflate breaks RFC 7692 §7.1.</summary>
    CompressionInvalid,
}
