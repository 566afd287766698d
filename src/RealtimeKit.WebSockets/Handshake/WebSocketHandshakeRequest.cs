namespace RealtimeKit.WebSockets;

/// <summary>
/// What a server's handshake needs to know of a request, whatever HTTP server read it. Header values are taken as received;
/// the HTTP server has already refused control characters and obsolete folding (RFC 9112 §5).
/// </summary>
public readonly struct WebSocketHandshakeRequest
{
    /// <summary>The request's method, as received: methods are compared with case (RFC 9110 §9.1).</summary>
    public required string Method { get; init; }

    /// <summary>The version of HTTP: 1.1 needs Upgrade (RFC 6455), 2 and above extended CONNECT (RFC 8441, RFC 9220).</summary>
    public required Version HttpVersion { get; init; }

    /// <summary>The <c>:protocol</c> pseudo-header of an extended CONNECT (RFC 8441 §4), or <see langword="null"/>.</summary>
    public string? Protocol { get; init; }

    /// <summary>The values of <c>Connection</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Connection { get; init; }

    /// <summary>The values of <c>Upgrade</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Upgrade { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Key</c>. HTTP/1.1 only.</summary>
    public WebSocketHeaderValues Key { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Version</c>.</summary>
    public WebSocketHeaderValues Version { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Protocol</c>.</summary>
    public WebSocketHeaderValues SubProtocols { get; init; }

    /// <summary>The values of <c>Sec-WebSocket-Extensions</c>.</summary>
    public WebSocketHeaderValues Extensions { get; init; }
}
