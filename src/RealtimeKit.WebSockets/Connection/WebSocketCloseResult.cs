using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>How a connection ended: with which code, on whose initiative, and whether the closing handshake was completed.</summary>
/// <param name="Status">
/// The status code of the Close frame that began the close (RFC 6455 §7.4), <see cref="WebSocketCloseStatus.Empty"/> where that
/// frame carried none, or <see langword="null"/> where the connection ended without a Close frame (what browsers report as 1006).
/// </param>
/// <param name="Reason">The reason of that Close frame; <see langword="null"/> when it carried none.</param>
/// <param name="Initiator">Who ended the connection.</param>
/// <param name="IsClean">Whether both Close frames were exchanged (RFC 6455 §7.1.4).</param>
public readonly record struct WebSocketCloseResult(WebSocketCloseStatus? Status, string? Reason, WebSocketCloseInitiator Initiator, bool IsClean)
{
    /// <summary>The status as a number, which reads better where it is an application's own: <c>result.Code == 4001</c>.</summary>
    public int? Code => (int?)Status;
}
