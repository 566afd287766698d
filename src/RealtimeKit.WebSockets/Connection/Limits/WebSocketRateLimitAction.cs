namespace RealtimeKit.WebSockets;

/// <summary>What becomes of a peer that sends messages or bytes faster than a limit allows.</summary>
public enum WebSocketRateLimitAction
{
    /// <summary>The connection is failed with 1008 (RFC 6455 §7.4.1).</summary>
    Close,

    /// <summary>
    /// Nothing more is dispatched, and past a limit on bytes nothing more is read, until the limit allows it: the peer feels it as back-pressure.
    /// Its deadlines pause meanwhile.
    /// </summary>
    Throttle,
}
