namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>What lies between a connection and its peer.</summary>
public enum Wire
{
    /// <summary>A pair of pipes.</summary>
    Pipe,

    /// <summary>A stream over a pair of pipes.</summary>
    Stream,

    /// <summary>As <see cref="Stream"/>, but a read gives one byte.</summary>
    OneByteStream,

    /// <summary>A loopback TCP connection as a stream.</summary>
    Socket,

    /// <summary>TLS over loopback TCP.</summary>
    Tls,
}
