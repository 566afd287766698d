using System.Net;
using System.Net.Http.Headers;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// A connection of a <see cref="ServerSentEventClient"/> failed. The message names neither the address nor anything that was sent or
/// received, so that no token of a URL or header reaches a log through it; nor does the inner exception, which is left out where it would.
/// </summary>
public sealed class ServerSentEventClientException : IOException
{
    internal ServerSentEventClientException(ServerSentEventClientError error, string message, Exception? inner = null)
        : base(message, QuotesThePeer(inner) ? null : inner) =>
        Error = error;

    internal ServerSentEventClientException(ServerSentEventClientError error, string message, HttpResponseMessage response)
        : base(message)
    {
        Error = error;
        StatusCode = response.StatusCode;
        Headers = response.Headers;
        MediaType = response.Content.Headers.ContentType?.MediaType;
    }

    /// <summary>What went wrong.</summary>
    public ServerSentEventClientError Error { get; }

    /// <summary>The answer's status; null where there was none.</summary>
    public HttpStatusCode? StatusCode { get; }

    /// <summary>The answer's headers; null where there was none.</summary>
    public HttpResponseHeaders? Headers { get; }

    /// <summary>The answer's media type; null where it named none.</summary>
    public string? MediaType { get; }

    /// <summary>Whether a later attempt may succeed.</summary>
    public bool IsTransient => Error switch
    {
        ServerSentEventClientError.ConnectionLost or ServerSentEventClientError.Timeout => true,
        ServerSentEventClientError.Status => IsTransientStatus(StatusCode),
        _ => false,
    };

    // What HttpClient says of an answer that it cannot read quotes it: a cookie, perhaps; and of a proxy its address, with the password.
    private static bool QuotesThePeer(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            var reason = (error as HttpRequestException)?.HttpRequestError ?? (error as HttpIOException)?.HttpRequestError;
            if (reason is HttpRequestError.InvalidResponse or HttpRequestError.ProxyTunnelError)
                return true;
        }

        return false;
    }

    private static bool IsTransientStatus(HttpStatusCode? status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.MisdirectedRequest || (int?)status is 425 or >= 500;
}
