namespace RealtimeKit.WebSockets;

/// <summary>What a client's handshake needs to know of a response, whatever HTTP client read it.</summary>
public readonly struct WebSocketHandshakeResponse
{
    /// <summary>The version of HTTP: 1.1 answers with 101 (RFC 6455), 2 and above with 2xx (RFC 8441, RFC 9220).</summary>
    public required Version HttpVersion { get; init; }

    /// <summary>The status.</summary>
    public required int StatusCode { get; init; }

    /// <summary>The values of <c>Connection</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Connection { get; init; }

    /// <summary>The values of <c>Upgrade</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Upgrade { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Accept</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Accept { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Protocol</c>.</summary>
    public WebSocketHeaderValues SubProtocol { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Extensions</c>.</summary>
    public WebSocketHeaderValues Extensions { get; init; }
}
