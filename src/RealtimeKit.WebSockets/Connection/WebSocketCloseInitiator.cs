namespace RealtimeKit.WebSockets;

/// <summary>Who ended a WebSocket connection.</summary>
public enum WebSocketCloseInitiator
{
    /// <summary>This side: it sent the first Close frame, failed the connection (RFC 6455 §7.1.7) or aborted it.</summary>
    Local,

    /// <summary>The peer sent the first Close frame.</summary>
    Remote,

    /// <summary>Nobody said goodbye: the transport ended, was reset, or went silent past a deadline.</summary>
    Network,
}
