namespace RealtimeKit.WebSockets;

/// <summary>What a <see cref="WebSocketRateLimiter"/> is asked about.</summary>
public enum WebSocketRateLimitKind
{
    /// <summary>Messages, of any size; counted when the first frame of one has arrived and its payload has not been looked at.</summary>
    Messages,

    /// <summary>Bytes on the wire, headers and control frames included; counted when they have been read and not been parsed.</summary>
    Bytes,

    /// <summary>Pings and pongs; counted before they are answered.</summary>
    ControlFrames,
}
