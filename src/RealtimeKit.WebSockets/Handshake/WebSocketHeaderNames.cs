namespace RealtimeKit.WebSockets;

/// <summary>The header fields of the opening handshake (RFC 6455 §11.3).</summary>
public static class WebSocketHeaderNames
{
    /// <summary><c>Connection</c> (RFC 9110 §7.6.1): a list that must hold <c>Upgrade</c>. HTTP/1.1 only.</summary>
    public const string Connection = "Connection";

    /// <summary><c>Upgrade</c> (RFC 9110 §7.8): <c>websocket</c>. HTTP/1.1 only.</summary>
    public const string Upgrade = "Upgrade";

    /// <summary><c>Sec-WebSocket-Key</c> (RFC 6455 §11.3.1): the client's nonce. HTTP/1.1 only.</summary>
    public const string SecWebSocketKey = "Sec-WebSocket-Key";

    /// <summary><c>Sec-WebSocket-Accept</c> (RFC 6455 §11.3.3): the server's proof. HTTP/1.1 only.</summary>
    public const string SecWebSocketAccept = "Sec-WebSocket-Accept";

    /// <summary><c>Sec-WebSocket-Version</c> (RFC 6455 §11.3.5): <c>13</c>.</summary>
    public const string SecWebSocketVersion = "Sec-WebSocket-Version";

    /// <summary><c>Sec-WebSocket-Protocol</c> (RFC 6455 §11.3.4): the subprotocols offered, or the one chosen.</summary>
    public const string SecWebSocketProtocol = "Sec-WebSocket-Protocol";

    /// <summary><c>Sec-WebSocket-Extensions</c> (RFC 6455 §11.3.2): the extensions offered, or those agreed.</summary>
    public const string SecWebSocketExtensions = "Sec-WebSocket-Extensions";
}
