using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Security;

namespace RealtimeKit.WebSockets;

/// <summary>
/// How a client connects. Every value has a safe default and is validated where it is set; a connect copies the options when it
/// begins, so later changes do not reach it.
/// </summary>
public sealed class WebSocketClientOptions
{
    // RFC 6455 §4.1 gives these their values, and some are proof that no script of a page wrote them.
    private static readonly string[] OwnHeaders =
    [
        WebSocketHeaderNames.Connection, WebSocketHeaderNames.Upgrade, WebSocketHeaderNames.SecWebSocketKey, WebSocketHeaderNames.SecWebSocketVersion,
        WebSocketHeaderNames.SecWebSocketProtocol, WebSocketHeaderNames.SecWebSocketExtensions, WebSocketHeaderNames.SecWebSocketAccept,
    ];

    private Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The subprotocols to offer, in the order of preference (RFC 6455 §4.1). Default: none.</summary>
    /// <exception cref="ArgumentException">A name is not a token, or stands twice.</exception>
    public IReadOnlyList<string> SubProtocols
    {
        get => Handshake.SubProtocols;
        set => Handshake.SubProtocols = value;
    }

    /// <summary>The limits and deadlines of the connection. Role, subprotocol and what is agreed on about compression are the handshake's to set: what stands there is ignored.</summary>
    public WebSocketConnectionOptions Connection { get; private set; } = new();

    /// <summary>
    /// The limits of the opening handshake. <see cref="WebSocketHandshakeOptions.MaxHeaderBytes"/> (default 16 KiB, counted in whole
    /// KiB) also bounds all headers of the response together, unless <see cref="Invoker"/> brings a limit of its own.
    /// </summary>
    public WebSocketHandshakeOptions Handshake { get; private set; } = new();

    /// <summary>The most header lines that a response may have. Default: 64.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxResponseHeaders
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 64;

    /// <summary>
    /// How long a connect may take: name resolution, TCP, proxy, TLS and the opening handshake together.
    /// <see cref="Timeout.InfiniteTimeSpan"/> turns the deadline off. Default: 10 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither infinite nor between 0 and 2^32 - 2 ms (49.7 days).</exception>
    public TimeSpan ConnectTimeout { get; set => field = WebSocketConnectionOptions.Deadline(value); } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The version of HTTP to ask for: 1.1 (RFC 6455) or 2 (RFC 8441, where connections to one server share a TCP connection).
    /// Default: 1.1.
    /// </summary>
    /// <exception cref="ArgumentException">The value is neither 1.1 nor 2.0.</exception>
    public Version HttpVersion
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value != System.Net.HttpVersion.Version11 && value != System.Net.HttpVersion.Version20)
                throw new ArgumentException("A WebSocket client speaks HTTP/1.1 or HTTP/2.", nameof(value));
            field = value;
        }
    } = System.Net.HttpVersion.Version11;

    /// <summary>
    /// What to do where <see cref="HttpVersion"/> is not what the server speaks. With HTTP/2 and the default, a server without
    /// RFC 8441 is asked again over HTTP/1.1, as is every server without TLS, where nothing negotiates the version; with HTTP/1.1 and
    /// <see cref="HttpVersionPolicy.RequestVersionOrHigher"/> a server with TLS is asked over HTTP/2 first.
    /// Default: <see cref="HttpVersionPolicy.RequestVersionOrLower"/>.
    /// </summary>
    public HttpVersionPolicy HttpVersionPolicy { get; set; } = HttpVersionPolicy.RequestVersionOrLower;

    /// <summary>The proxy; the system's where <see langword="null"/>, which is the default. Both ws and wss go through a CONNECT tunnel.</summary>
    public IWebProxy? Proxy { get; set; }

    /// <summary>Whether a proxy is used at all. Default: <see langword="true"/>.</summary>
    public bool UseProxy { get; set; } = true;

    /// <summary>Cookies to send, and where the response's are kept. Default: none.</summary>
    public CookieContainer? Cookies { get; set; }

    /// <summary>Credentials for a server that answers 401 with a scheme that .NET knows. Default: none. A bearer token is a header.</summary>
    public ICredentials? Credentials { get; set; }

    /// <summary>TLS: the check of the server's certificate, client certificates, protocol versions. Default: the platform's.</summary>
    public SslClientAuthenticationOptions? SslOptions { get; set; }

    /// <summary>
    /// An HTTP client that is shared by many connects, and stays the caller's: proxy, cookies, credentials and TLS are then its own
    /// settings and must not stand here. Default: none.
    /// </summary>
    public HttpMessageInvoker? Invoker { get; set; }

    /// <summary>
    /// Is given the headers of the response that accepts the handshake, before <see cref="WebSocketClient.ConnectAsync"/> returns; a
    /// connection does not hold on to them. What it throws ends the connect and comes out of it. Those of a refusal are in
    /// <see cref="WebSocketConnectException.Headers"/>. Default: none.
    /// </summary>
    public Action<HttpResponseHeaders>? OnAccepted { get; set; }

    /// <summary>The headers to send besides the handshake's own, by <see cref="SetHeader"/>.</summary>
    public IReadOnlyDictionary<string, string> Headers => _headers;

    /// <summary>
    /// The value of <c>Sec-WebSocket-Extensions</c> to offer, for extensions that the connection implements itself.
    /// </summary>
    internal string? ExtensionOffers => Connection.Compression is { } compression ? PerMessageDeflate.CreateOffer(compression) : null;

    internal bool NeedsOwnHandler =>
        Proxy is not null || !UseProxy || Cookies is not null || Credentials is not null || SslOptions is not null
        || Handshake.MaxHeaderBytes != WebSocketHandshakeOptions.Default.MaxHeaderBytes;

    /// <summary>Sets a header of the request, such as <c>Authorization</c> or <c>Origin</c>.</summary>
    /// <param name="name">The name, a token.</param>
    /// <param name="value">The value; <see langword="null"/> removes the header.</param>
    /// <exception cref="ArgumentException">
    /// The name is not a token or is one of the handshake's own, or the value holds a control character: it could end the header.
    /// </exception>
    public void SetHeader(string name, string? value)
    {
        if (!HttpGrammar.IsToken(name))
            throw new ArgumentException("A header's name must be an HTTP token (RFC 9110 §5.1).", nameof(name));
        if (OwnHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
            throw new ArgumentException("This header belongs to the handshake (RFC 6455 §4.1).", nameof(name));
        if (value is null)
            _headers.Remove(name);
        else if (HasControl(value))
            throw new ArgumentException("A header's value holds no control characters (RFC 9110 §5.5).", nameof(value));
        else
            _headers[name] = value;
    }

    internal WebSocketClientOptions Clone()
    {
        var copy = (WebSocketClientOptions)MemberwiseClone();
        copy._headers = new(_headers, StringComparer.OrdinalIgnoreCase);
        copy.Connection = Connection.Clone();
        copy.Handshake = Handshake.Clone();
        return copy;
    }

    internal void ThrowIfInvokerHasRivals()
    {
        if (Invoker is not null && (Proxy is not null || !UseProxy || Cookies is not null || Credentials is not null || SslOptions is not null))
            throw new InvalidOperationException("With an invoker of the caller's, proxy, cookies, credentials and TLS are settings of that invoker.");
    }

    private static bool HasControl(string value)
    {
        foreach (var character in value)
            if (char.IsControl(character) && character != '\t')
                return true;
        return false;
    }
}
