using System.Net;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The server's side of the opening handshake over HTTP/1.1 (RFC 6455 §4.2) and HTTP/2 or HTTP/3 (RFC 8441, RFC 9220), for any HTTP
/// server. The origin policy is not part of it: check <c>Origin</c> apart (RFC 6455 §10.2).
/// </summary>
/// <remarks>All members are thread-safe. What comes from the wire never throws and costs linear time.</remarks>
public static class WebSocketHandshake
{
    /// <summary>The value of <c>Sec-WebSocket-Version</c> (RFC 6455 §4.1 item 9).</summary>
    public const string Version = "13";

    /// <summary>Checks a request and proposes the answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="options">Limits and the subprotocols that the server knows; <see langword="null"/> for the defaults.</param>
    /// <returns>The answer: accepted with the accept value and the subprotocol, or refused with a status and its headers.</returns>
    public static WebSocketHandshakeResult Validate(in WebSocketHandshakeRequest request, WebSocketHandshakeOptions? options = null)
    {
        options ??= WebSocketHandshakeOptions.Default;
        var isHttp1 = request.HttpVersion is null || request.HttpVersion.Major < 2;

        var error = CheckSize(in request, options);
        if (error == WebSocketHandshakeError.None)
            error = isHttp1 ? CheckUpgrade(in request) : CheckExtendedConnect(in request);
        if (error == WebSocketHandshakeError.None)
            error = CheckVersion(in request, isHttp1);
        if (error == WebSocketHandshakeError.None && isHttp1)
            error = CheckKey(in request);

        string? subProtocol = null;
        if (error == WebSocketHandshakeError.None)
            error = WebSocketSubProtocols.Select(request.SubProtocols, options, out subProtocol);
        if (error == WebSocketHandshakeError.None)
            error = CheckExtensions(in request, options);
        if (error != WebSocketHandshakeError.None)
            return new(error, isHttp1);

        return new(WebSocketHandshakeError.None, isHttp1)
        {
            Accept = isHttp1 ? WebSocketKey.ComputeAccept(HttpGrammar.Trim(request.Key[0])) : null,
            SubProtocol = subProtocol,
        };
    }

    /// <summary>Gives the sentence that explains an error and names its rule.</summary>
    /// <param name="error">The error.</param>
    /// <returns>One sentence in ASCII or with the section sign, safe for a response body, a log or an exception; empty for no error.</returns>
    public static string Describe(WebSocketHandshakeError error) => error switch
    {
        WebSocketHandshakeError.None => "",
        WebSocketHandshakeError.MethodNotAllowed =>
            "A WebSocket handshake is a GET on HTTP/1.1 (RFC 6455 §4.2.1) and a CONNECT on HTTP/2 (RFC 8441 §5).",
        WebSocketHandshakeError.HttpVersionTooLow =>
            "A WebSocket handshake needs HTTP/1.1 or higher (RFC 6455 §4.2.1).",
        WebSocketHandshakeError.UpgradeRequired =>
            "This resource speaks WebSocket: send Upgrade: websocket (RFC 6455 §4.2.1).",
        WebSocketHandshakeError.UpgradeMissing =>
            "The Upgrade header must hold websocket (RFC 6455 §4.2.1). A proxy in between may have removed it.",
        WebSocketHandshakeError.ConnectionUpgradeMissing =>
            "The Connection header must hold Upgrade (RFC 6455 §4.2.1). A proxy in between may have removed it.",
        WebSocketHandshakeError.ProtocolMissing =>
            "A WebSocket handshake on HTTP/2 is a CONNECT with :protocol = websocket (RFC 8441 §5).",
        WebSocketHandshakeError.ProtocolNotSupported =>
            "The only :protocol supported is websocket (RFC 8441 §5).",
        WebSocketHandshakeError.VersionMissing =>
            "The Sec-WebSocket-Version header is missing; it must be 13 (RFC 6455 §4.2.1).",
        WebSocketHandshakeError.VersionRepeated =>
            "The Sec-WebSocket-Version header must not stand more than once (RFC 6455 §11.3.5).",
        WebSocketHandshakeError.VersionNotSupported =>
            "The only Sec-WebSocket-Version supported is 13 (RFC 6455 §4.4).",
        WebSocketHandshakeError.KeyMissing =>
            "The Sec-WebSocket-Key header is missing (RFC 6455 §4.2.1).",
        WebSocketHandshakeError.KeyRepeated =>
            "The Sec-WebSocket-Key header must not stand more than once (RFC 6455 §11.3.1).",
        WebSocketHandshakeError.KeyInvalid =>
            "The Sec-WebSocket-Key header must be base64 of exactly 16 bytes (RFC 6455 §4.2.1).",
        WebSocketHandshakeError.UnexpectedStatus =>
            "The server did not answer with 101 on HTTP/1.1 (RFC 6455 §4.1) or 2xx on HTTP/2 (RFC 8441 §5).",
        WebSocketHandshakeError.ResponseUpgradeInvalid =>
            "The server's Upgrade header is not websocket (RFC 6455 §4.1).",
        WebSocketHandshakeError.ResponseConnectionInvalid =>
            "The server's Connection header does not hold Upgrade (RFC 6455 §4.1).",
        WebSocketHandshakeError.AcceptMissing =>
            "The server's Sec-WebSocket-Accept header is missing (RFC 6455 §4.1).",
        WebSocketHandshakeError.AcceptRepeated =>
            "The server's Sec-WebSocket-Accept header must not stand more than once (RFC 6455 §11.3.3).",
        WebSocketHandshakeError.AcceptInvalid =>
            "The server's Sec-WebSocket-Accept header does not answer the client's key (RFC 6455 §4.1).",
        WebSocketHandshakeError.SubProtocolRepeated =>
            "The server's Sec-WebSocket-Protocol header must not stand more than once (RFC 6455 §11.3.4).",
        WebSocketHandshakeError.SubProtocolNotOffered =>
            "The server chose a subprotocol that the client did not offer (RFC 6455 §4.1).",
        WebSocketHandshakeError.ExtensionsRepeated =>
            "The server's Sec-WebSocket-Extensions header must not stand more than once (RFC 6455 §11.3.2).",
        WebSocketHandshakeError.ExtensionNotOffered =>
            "The server chose an extension that the client did not offer (RFC 6455 §4.1).",
        WebSocketHandshakeError.SubProtocolsMalformed =>
            "The Sec-WebSocket-Protocol header must be a list of tokens (RFC 6455 §4.3).",
        WebSocketHandshakeError.SubProtocolDuplicate =>
            "The Sec-WebSocket-Protocol header must not name a subprotocol twice (RFC 6455 §4.1).",
        WebSocketHandshakeError.ExtensionsMalformed =>
            "The Sec-WebSocket-Extensions header breaks its grammar (RFC 6455 §9.1).",
        WebSocketHandshakeError.HeadersTooLarge =>
            "The WebSocket handshake's headers are too large.",
        WebSocketHandshakeError.TooManyListElements =>
            "A list in the WebSocket handshake's headers has too many elements.",
        WebSocketHandshakeError.CompressionInvalid =>
            "The server's answer to permessage-deflate does not fit the client's offer (RFC 7692 §7.1).",
        _ => "The WebSocket handshake failed.",
    };

    private static WebSocketHandshakeError CheckSize(in WebSocketHandshakeRequest request, WebSocketHandshakeOptions options)
    {
        var total = (long)request.Connection.TotalLength + request.Upgrade.TotalLength + request.Key.TotalLength
            + request.Version.TotalLength + request.SubProtocols.TotalLength + request.Extensions.TotalLength;
        return total > options.MaxHeaderBytes ? WebSocketHandshakeError.HeadersTooLarge : WebSocketHandshakeError.None;
    }

    private static WebSocketHandshakeError CheckUpgrade(in WebSocketHandshakeRequest request)
    {
        if (request.Method != "GET")
            return WebSocketHandshakeError.MethodNotAllowed;
        if (request.HttpVersion is null || request.HttpVersion < HttpVersion.Version11)
            return WebSocketHandshakeError.HttpVersionTooLow;

        // Upgrade and Connection are hop-by-hop: when they are missing beside a key, a proxy has eaten them, and saying so
        // helps more than 426, which an ordinary request gets.
        if (!HttpGrammar.ListContains(request.Upgrade, "websocket"))
            return request.Key.Count == 0 ? WebSocketHandshakeError.UpgradeRequired : WebSocketHandshakeError.UpgradeMissing;
        if (!HttpGrammar.ListContains(request.Connection, "upgrade"))
            return WebSocketHandshakeError.ConnectionUpgradeMissing;
        return WebSocketHandshakeError.None;
    }

    private static WebSocketHandshakeError CheckExtendedConnect(in WebSocketHandshakeRequest request)
    {
        if (request.Method != "CONNECT")
            return WebSocketHandshakeError.MethodNotAllowed;
        if (request.Protocol is null)
            return WebSocketHandshakeError.ProtocolMissing;
        return HttpGrammar.EqualsIgnoreCase(request.Protocol, "websocket")
            ? WebSocketHandshakeError.None
            : WebSocketHandshakeError.ProtocolNotSupported;
    }

    // Before the key: another version may have another kind of key.
    private static WebSocketHandshakeError CheckVersion(in WebSocketHandshakeRequest request, bool isHttp1)
    {
        if (request.Version.Count == 0)
            return WebSocketHandshakeError.VersionMissing;

        // A comma is how an intermediary joins two lines (RFC 9110 §5.3).
        var value = HttpGrammar.Trim(request.Version[0]);
        if (request.Version.Count > 1 || value.Contains(','))
            return WebSocketHandshakeError.VersionRepeated;
        if (value.IsEmpty)
            return WebSocketHandshakeError.VersionMissing;
        return value.SequenceEqual(Version) ? WebSocketHandshakeError.None : WebSocketHandshakeError.VersionNotSupported;
    }

    private static WebSocketHandshakeError CheckKey(in WebSocketHandshakeRequest request) => request.Key.Count switch
    {
        0 => WebSocketHandshakeError.KeyMissing,
        1 => WebSocketKey.IsValid(HttpGrammar.Trim(request.Key[0])) ? WebSocketHandshakeError.None : WebSocketHandshakeError.KeyInvalid,
        _ => WebSocketHandshakeError.KeyRepeated,
    };

    private static WebSocketHandshakeError CheckExtensions(in WebSocketHandshakeRequest request, WebSocketHandshakeOptions options)
    {
        var offers = new WebSocketExtensionReader(request.Extensions, options.MaxListElements);
        while (offers.Read())
        {
        }
        return offers.Error;
    }
}
