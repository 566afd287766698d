using System.Net;
using System.Net.Http;
using System.Security.Authentication;

namespace RealtimeKit.WebSockets;

/// <summary>Turns what went wrong into a <see cref="WebSocketConnectException"/>.</summary>
internal static class ConnectFailure
{
    private const int MaxBodySize = 4 * 1024;

    // A server that has answered but stalls in its body must not hold up the answer.
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(2);

    public static WebSocketConnectException FromTimeout(Exception inner) =>
        new("The WebSocket connect took longer than its deadline.", inner) { IsTimeout = true, IsTransient = true };

    public static WebSocketConnectException FromRequest(HttpRequestException error) =>
        new($"The WebSocket connect failed before a response came: {Describe(error)}.", MayBeShown(error) ? error : null)
        {
            RequestError = error.HttpRequestError,
            StatusCode = error.StatusCode,
            IsTransient = IsTransient(error),
        };

    /// <summary>Reads what the response still tells, within bounds. The response stays the caller's.</summary>
    public static async Task<WebSocketConnectException> FromResponseAsync(
        HttpResponseMessage response, WebSocketHandshakeError error, TimeProvider clock, CancellationToken cancellationToken)
    {
        // A response that switched protocols has no body, but a connection.
        var body = error == WebSocketHandshakeError.UnexpectedStatus && response.StatusCode != HttpStatusCode.SwitchingProtocols
            ? await ReadBodyAsync(response.Content, clock, cancellationToken).ConfigureAwait(false)
            : default;
        var message = error == WebSocketHandshakeError.UnexpectedStatus
            ? $"The server refused the WebSocket handshake with status {(int)response.StatusCode}."
            : $"The server's answer breaks the WebSocket handshake: {WebSocketHandshake.Describe(error)}";
        return new WebSocketConnectException(message)
        {
            HandshakeError = error,
            StatusCode = response.StatusCode,
            Headers = response.Headers,
            ContentType = response.Content.Headers.ContentType?.ToString(),
            Body = body,
            IsTransient = error == WebSocketHandshakeError.UnexpectedStatus && IsTransient(response.StatusCode),
            RetryAfter = RetryAfter(response, clock),
        };
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContent content, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = new byte[MaxBodySize];
        var count = 0;
        using var timeout = new CancellationTokenSource(BodyTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var stream = await content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            while (count < body.Length)
            {
                var read = await stream.ReadAsync(body.AsMemory(count), either.Token).ConfigureAwait(false);
                if (read == 0)
                    break;
                count += read;
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status and the headers are worth more than a body that does not come.
        }

        return body.AsMemory(0, count);
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider clock)
    {
        var delay = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }

    // RFC 9110 §15.5.9, §15.6 and RFC 6585 §4: these say that the request was fine and the moment was not.
    private static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static bool IsTransient(HttpRequestException error) => error.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError => true,
        // A certificate that is refused today is refused tomorrow; a peer that hung up in the middle may not do it again.
        HttpRequestError.SecureConnectionError => error.InnerException is not AuthenticationException,
        HttpRequestError.ProxyTunnelError => error.StatusCode is not { } status || IsTransient(status),
        HttpRequestError.Unknown => error.InnerException is IOException,
        _ => false,
    };

    private static string Describe(HttpRequestException error) => error.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "the server's name was not found",
        HttpRequestError.ConnectionError => "the server could not be reached",
        // .NET's own words, which name what is wrong with the certificate and nothing else: "…: UntrustedRoot", "…: RemoteCertificateNameMismatch".
        HttpRequestError.SecureConnectionError => error.InnerException is AuthenticationException refused
            ? $"TLS could not be established, {refused.Message.TrimEnd('.')}"
            : "TLS could not be established",
        HttpRequestError.HttpProtocolError => "the server broke a rule of HTTP",
        HttpRequestError.ExtendedConnectNotSupported => "the server does not take WebSockets over HTTP/2 (RFC 8441)",
        HttpRequestError.VersionNegotiationError => "the server does not speak the version of HTTP that was asked for",
        HttpRequestError.UserAuthenticationError => "the credentials were refused",
        HttpRequestError.ProxyTunnelError => error.StatusCode is { } status ? $"the proxy refused the tunnel with status {(int)status}" : "the proxy made no tunnel",
        HttpRequestError.InvalidResponse => "the response is not HTTP",
        HttpRequestError.ResponseEnded => "the connection ended in the middle of the response",
        HttpRequestError.ConfigurationLimitExceeded => "the response's headers are larger than the limit",
        _ => "the request failed",
    };

    // The message of a refused tunnel names the proxy, whose address may hold a password; that of an answer which is no HTTP quotes it.
    private static bool MayBeShown(HttpRequestException error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            var reason = (cause as HttpRequestException)?.HttpRequestError ?? (cause as HttpIOException)?.HttpRequestError;
            if (reason is HttpRequestError.ProxyTunnelError or HttpRequestError.InvalidResponse)
                return false;
        }

        return true;
    }
}
