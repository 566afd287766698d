namespace RealtimeKit.ServerSentEvents;

/// <summary>Why a <see cref="ServerSentEventClient"/> has given up, or why one of its connections ended.</summary>
public enum ServerSentEventClientError
{
    /// <summary>The server could not be reached, or the connection broke.</summary>
    ConnectionLost,

    /// <summary>The server answered with 204 No Content: it does not want the client to come again.</summary>
    NoContent,

    /// <summary>The server answered with a status other than 200.</summary>
    Status,

    /// <summary>The answer is not <c>text/event-stream</c>.</summary>
    ContentType,

    /// <summary>Nothing arrived for <see cref="ServerSentEventClientOptions.ReadTimeout"/>, or no answer for the connect timeout.</summary>
    Timeout,

    /// <summary>
    /// TLS could not be established, as the server's certificate, or this side's, was refused; the message says why. A certificate that is
    /// refused today is refused tomorrow: the client does not try again.
    /// </summary>
    Certificate,
}
