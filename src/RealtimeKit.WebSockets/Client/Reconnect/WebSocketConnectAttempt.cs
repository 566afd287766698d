namespace RealtimeKit.WebSockets;

/// <summary>One connect of a <see cref="ReconnectingWebSocket"/>, before it begins: the place to renew a token or to choose another server.</summary>
public sealed class WebSocketConnectAttempt
{
    internal WebSocketConnectAttempt(Uri uri, WebSocketClientOptions options, int failures, Exception? lastError)
    {
        Uri = uri;
        Options = options;
        Failures = failures;
        LastError = lastError;
    }

    /// <summary>Where to connect to. What is set here counts for this attempt.</summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public Uri Uri { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); }

    /// <summary>How to connect: a copy for this attempt alone.</summary>
    public WebSocketClientOptions Options { get; }

    /// <summary>How many attempts in a row have failed or given a connection that did not last; 0 for the first.</summary>
    public int Failures { get; }

    /// <summary>Why the last one failed, such as a <see cref="WebSocketConnectException"/> with status 401; <see langword="null"/> where it did not.</summary>
    public Exception? LastError { get; }
}
