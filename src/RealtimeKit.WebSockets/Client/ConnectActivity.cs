using System.Diagnostics;

namespace RealtimeKit.WebSockets;

/// <summary>Traces of the client. While nobody listens there are none, and they cost a look at a field.</summary>
internal static class ConnectActivity
{
    private static readonly ActivitySource Source = new("RealtimeKit.WebSockets");

    public static bool IsWanted => Source.HasListeners();

    /// <summary>A connect begins. Neither the path nor the query is told: they may hold a secret.</summary>
    public static Activity? Start(Uri uri) => Source.StartActivity("websocket connect", ActivityKind.Client)
        ?.SetTag("server.address", uri.Host)
        .SetTag("server.port", uri.Port);

    /// <summary>A connect has failed.</summary>
    public static void Fail(Activity? activity, Exception error)
    {
        // OpenTelemetry: a low-cardinality name of the error, or the response's status.
        var type = error switch
        {
            OperationCanceledException => "cancelled",
            WebSocketConnectException { IsTimeout: true } => "timeout",
            WebSocketConnectException { StatusCode: { } status, HandshakeError: WebSocketHandshakeError.None or WebSocketHandshakeError.UnexpectedStatus } => $"{(int)status}",
            WebSocketConnectException { HandshakeError: var handshake and not WebSocketHandshakeError.None } => $"{handshake}",
            WebSocketConnectException { RequestError: { } request } => $"{request}",
            _ => "_OTHER",
        };
        activity?.SetTag("error.type", type).SetStatus(ActivityStatusCode.Error);
    }
}
