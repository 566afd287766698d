namespace RealtimeKit.WebSockets;

/// <summary>Which end of the connection somebody is: it decides who masks (RFC 6455 §5.1).</summary>
public enum WebSocketRole
{
    /// <summary>The server: reads masked frames and writes unmasked ones.</summary>
    Server,

    /// <summary>The client: writes masked frames and reads unmasked ones.</summary>
    Client,
}
