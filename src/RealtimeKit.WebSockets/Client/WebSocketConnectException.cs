using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A connect failed: says at which step, what the server answered, and whether trying again makes sense. The message repeats nothing
/// of the request and nothing of the response's headers or body, so it can be logged.
/// </summary>
public sealed class WebSocketConnectException : IOException
{
    internal WebSocketConnectException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// The rule of the opening handshake that the response broke; <see cref="WebSocketHandshakeError.UnexpectedStatus"/> where the
    /// server refused, <see cref="WebSocketHandshakeError.None"/> where no response came.
    /// </summary>
    public WebSocketHandshakeError HandshakeError { get; internal init; }

    /// <summary>What failed before there was a response; <see langword="null"/> where a response came or the time ran out.</summary>
    public HttpRequestError? RequestError { get; internal init; }

    /// <summary>Whether <see cref="WebSocketClientOptions.ConnectTimeout"/> ran out.</summary>
    public bool IsTimeout { get; internal init; }

    /// <summary>The status of the response, or of the proxy's where the tunnel was refused; <see langword="null"/> where none came.</summary>
    public HttpStatusCode? StatusCode { get; internal init; }

    /// <summary>The headers of the response; <see langword="null"/> where none came.</summary>
    public HttpResponseHeaders? Headers { get; internal init; }

    /// <summary>The media type of the body; <see langword="null"/> where none came.</summary>
    public string? ContentType { get; internal init; }

    /// <summary>The beginning of the response's body, at most 4 KiB; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Body { get; internal init; }

    /// <summary>Whether the same connect may well succeed later, without a change on this side.</summary>
    public bool IsTransient { get; internal init; }

    /// <summary>
    /// How long the server asks to wait (<c>Retry-After</c>, RFC 9110 §10.2.3), in seconds or as a date; <see langword="null"/> where it
    /// does not say.
    /// </summary>
    public TimeSpan? RetryAfter { get; internal init; }

    /// <summary>Decodes <see cref="Body"/> as UTF-8; what is not becomes U+FFFD.</summary>
    /// <returns>A new string.</returns>
    public string GetBodyText() => Encoding.UTF8.GetString(Body.Span);
}
