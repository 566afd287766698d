namespace RealtimeKit.WebSockets;

/// <summary>What has passed in one direction and is not yet measured.</summary>
internal struct WebSocketTraffic
{
    public long Bytes;
    public int TextMessages;
    public int BinaryMessages;

    /// <summary>The ratio of the last compressed message; 0 where there was none.</summary>
    public double InflateRatio;
}
