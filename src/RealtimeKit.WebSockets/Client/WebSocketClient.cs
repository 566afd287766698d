using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;

namespace RealtimeKit.WebSockets;

/// <summary>Connects to WebSocket servers: ws and wss, over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441).</summary>
public static class WebSocketClient
{
    /// <summary>Connects, and runs the opening handshake.</summary>
    /// <param name="uri">An absolute URI with the scheme ws or wss (http and https mean the same), without a fragment and without credentials.</param>
    /// <param name="options">How to connect; the defaults where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Cancels the connect; a connection that is made is no longer touched by it.</param>
    /// <returns>An open connection.</returns>
    /// <exception cref="WebSocketConnectException">The connect failed; the exception says why, and whether to try again.</exception>
    /// <exception cref="ArgumentException">The URI is not one of a WebSocket (RFC 6455 §3).</exception>
    /// <exception cref="InvalidOperationException">The options have an invoker, and settings that are the invoker's.</exception>
    /// <exception cref="OperationCanceledException">The connect was cancelled.</exception>
    public static Task<WebSocketConnection> ConnectAsync(Uri uri, WebSocketClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        uri = Normalize(uri);
        options = options?.Clone() ?? new WebSocketClientOptions();
        options.ThrowIfInvokerHasRivals();
        return ConnectActivity.IsWanted ? ConnectTracedAsync(uri, options, cancellationToken) : ConnectCoreAsync(uri, options, cancellationToken);
    }

    private static async Task<WebSocketConnection> ConnectTracedAsync(Uri uri, WebSocketClientOptions options, CancellationToken cancellationToken)
    {
        using var activity = ConnectActivity.Start(uri);
        try
        {
            return await ConnectCoreAsync(uri, options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            ConnectActivity.Fail(activity, error);
            throw;
        }
    }

    private static async Task<WebSocketConnection> ConnectCoreAsync(Uri uri, WebSocketClientOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.Connection.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        // What a handler of our own has connected outlives it.
        using var owned = options.Invoker is null && options.NeedsOwnHandler ? ClientHandler.Create(options) : null;
        try
        {
            return await HandshakeAsync(uri, options, options.Invoker ?? owned ?? ClientHandler.Shared, either.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException error)
        {
            throw ConnectFailure.FromRequest(error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw ConnectFailure.FromTimeout(error);
        }
        catch (OperationCanceledException error)
        {
            throw new OperationCanceledException("The WebSocket connect was cancelled.", error, cancellationToken);
        }
    }

    private static async Task<WebSocketConnection> HandshakeAsync(Uri uri, WebSocketClientOptions options, HttpMessageInvoker invoker, CancellationToken cancellationToken)
    {
        var isHttp2 = BeginsWithHttp2(uri, options);
        while (true)
        {
            // A second attempt is a new handshake, with a new key (RFC 6455 §4.1).
            var handshake = new WebSocketClientHandshake(options.Handshake, options.ExtensionOffers);
            using var request = NewRequest(uri, options, handshake, isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11);
            HttpResponseMessage? response = null;
            try
            {
                response = await SendAsync(invoker, request, cancellationToken).ConfigureAwait(false);
                return await AcceptAsync(response, handshake, options, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException error) when (isHttp2 && MayFallBack(options) && IsWithoutHttp2(error))
            {
                isHttp2 = false;
            }
            catch
            {
                response?.Dispose();
                throw;
            }
        }
    }

    private static Task<HttpResponseMessage> SendAsync(HttpMessageInvoker invoker, HttpRequestMessage request, CancellationToken cancellationToken) =>
        // By default an HttpClient waits for the whole body, and this one never ends.
        invoker is HttpClient client
            ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            : invoker.SendAsync(request, cancellationToken);

    private static HttpRequestMessage NewRequest(Uri uri, WebSocketClientOptions options, WebSocketClientHandshake handshake, Version version)
    {
        var isHttp2 = version.Major >= 2;
        var request = new HttpRequestMessage(isHttp2 ? HttpMethod.Connect : HttpMethod.Get, uri)
        {
            Version = version,
            // Where HTTP/1.1 will do as well, TLS may agree on it; only HTTP/2 offered, a server without it would end the handshake.
            VersionPolicy = isHttp2 && MayFallBack(options) ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
        };
        // RFC 8441 §4: the extended CONNECT.
        if (isHttp2)
            request.Headers.Protocol = "websocket";
        handshake.WriteHeaders(version, request, static (request, name, value) => request.Headers.TryAddWithoutValidation(name, value));
        foreach (var (name, value) in options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task<WebSocketConnection> AcceptAsync(
        HttpResponseMessage response, WebSocketClientHandshake handshake, WebSocketClientOptions options, CancellationToken cancellationToken)
    {
        var headers = response.Headers.NonValidated;
        var subProtocol = default(string);
        var error = CountLines(headers) + CountLines(response.Content.Headers.NonValidated) > options.MaxResponseHeaders
            ? WebSocketHandshakeError.HeadersTooLarge
            : handshake.Validate(
                new WebSocketHandshakeResponse
                {
                    HttpVersion = response.Version,
                    StatusCode = (int)response.StatusCode,
                    Connection = Values(headers, WebSocketHeaderNames.Connection),
                    Upgrade = Values(headers, WebSocketHeaderNames.Upgrade),
                    Accept = Values(headers, WebSocketHeaderNames.SecWebSocketAccept),
                    SubProtocol = Values(headers, WebSocketHeaderNames.SecWebSocketProtocol),
                    Extensions = Values(headers, WebSocketHeaderNames.SecWebSocketExtensions),
                },
                out subProtocol);
        PerMessageDeflateParameters? compression = null;
        if (error == WebSocketHandshakeError.None && options.Connection.Compression is { } wanted)
            error = PerMessageDeflate.ReadResponse(Values(headers, WebSocketHeaderNames.SecWebSocketExtensions), wanted, out compression);
        if (error != WebSocketHandshakeError.None)
            throw await ConnectFailure.FromResponseAsync(response, error, options.Connection.TimeProvider, cancellationToken).ConfigureAwait(false);

        options.OnAccepted?.Invoke(response.Headers);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        options.Connection.Role = WebSocketRole.Client;
        options.Connection.SubProtocol = subProtocol;
        options.Connection.CompressionParameters = compression;
        options.Connection.LeaveOpen = false;
        return WebSocketConnection.Create(stream, options.Connection);
    }

    // Without TLS nothing negotiates the version: only who insists gets HTTP/2 there.
    private static bool BeginsWithHttp2(Uri uri, WebSocketClientOptions options)
    {
        var isSecure = uri.Scheme == Uri.UriSchemeWss;
        return options.HttpVersion == HttpVersion.Version20
            ? isSecure || options.HttpVersionPolicy != HttpVersionPolicy.RequestVersionOrLower
            : isSecure && options.HttpVersionPolicy == HttpVersionPolicy.RequestVersionOrHigher;
    }

    private static bool MayFallBack(WebSocketClientOptions options) =>
        options.HttpVersion == HttpVersion.Version11 || options.HttpVersionPolicy == HttpVersionPolicy.RequestVersionOrLower;

    // On a connection that turned out to be HTTP/1.1 the handler refuses the extended CONNECT before it sends anything, as an
    // unknown error without a cause.
    private static bool IsWithoutHttp2(HttpRequestException error) =>
        error.HttpRequestError is HttpRequestError.ExtendedConnectNotSupported or HttpRequestError.VersionNegotiationError
        || error is { HttpRequestError: HttpRequestError.Unknown, InnerException: null };

    private static int CountLines(HttpHeadersNonValidated headers)
    {
        var count = 0;
        foreach (var header in headers)
            count += header.Value.Count;
        return count;
    }

    private static WebSocketHeaderValues Values(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out var values) ? new WebSocketHeaderValues([.. values]) : default;

    // RFC 6455 §3; the WHATWG's WebSocket interface takes http and https as well.
    private static Uri Normalize(Uri uri)
    {
        if (!uri.IsAbsoluteUri)
            throw new ArgumentException("The URI of a WebSocket is absolute (RFC 6455 §3).", nameof(uri));
        if (uri.Fragment.Length > 0)
            throw new ArgumentException("The URI of a WebSocket has no fragment (RFC 6455 §3).", nameof(uri));
        if (uri.UserInfo.Length > 0)
            throw new ArgumentException("Credentials stand in the options, not in the URI.", nameof(uri));
        return uri.Scheme switch
        {
            "ws" or "wss" => uri,
            "http" or "https" => new UriBuilder(uri) { Scheme = uri.Scheme == "https" ? Uri.UriSchemeWss : Uri.UriSchemeWs, Port = uri.Port }.Uri,
            _ => throw new ArgumentException("The scheme of a WebSocket is ws or wss (RFC 6455 §3).", nameof(uri)),
        };
    }
}
