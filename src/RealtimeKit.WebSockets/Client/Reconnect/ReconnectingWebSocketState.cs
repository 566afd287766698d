namespace RealtimeKit.WebSockets;

/// <summary>What a <see cref="ReconnectingWebSocket"/> is doing.</summary>
public enum ReconnectingWebSocketState
{
    /// <summary>Nothing has been asked of it yet.</summary>
    Idle,

    /// <summary>It is connecting.</summary>
    Connecting,

    /// <summary>It is connected.</summary>
    Open,

    /// <summary>The connection was lost, or the connect failed; it waits before it tries again.</summary>
    Waiting,

    /// <summary>It is over: closed by the application, by the peer for good, or by a permanent error.</summary>
    Closed,
}
