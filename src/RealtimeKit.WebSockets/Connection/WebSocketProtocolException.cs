using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The peer broke a rule of RFC 6455 or exceeded a limit. The connection has already answered with a Close frame that carries
/// <see cref="CloseStatus"/>, and accepts no more messages.
/// </summary>
public sealed class WebSocketProtocolException : IOException
{
    /// <summary>Creates the exception for a rule.</summary>
    /// <param name="error">The rule that was broken.</param>
    public WebSocketProtocolException(WebSocketProtocolError error)
        : base(error.GetDescription())
    {
        Error = error;
        CloseStatus = error.GetCloseStatus();
    }

    /// <summary>The rule that the peer broke.</summary>
    public WebSocketProtocolError Error { get; }

    /// <summary>The status code that was sent to the peer (RFC 6455 §7.4.1).</summary>
    public WebSocketCloseStatus CloseStatus { get; }
}
