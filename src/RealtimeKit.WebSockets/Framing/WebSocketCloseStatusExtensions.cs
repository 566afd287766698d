using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

/// <summary>The ranges of close codes (RFC 6455 §7.4.2) and which codes may stand in a close frame (§7.4.1).</summary>
public static class WebSocketCloseStatusExtensions
{
    /// <summary>
    /// Tells whether the code may stand in a close frame: 1000–1003, 1007–1014, 3000–4999. Not so 1004 (reserved), 1005, 1006 and 1015
    /// (only ever reported), the unassigned rest up to 2999, and what is below or above (RFC 6455 §7.4, IANA's registry).
    /// </summary>
    /// <param name="status">The code.</param>
    /// <returns>True if it may be sent and received.</returns>
    public static bool IsAllowedOnWire(this WebSocketCloseStatus status) =>
        (int)status is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    /// <summary>The status of a number that an application names; only what may stand in a close frame.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The code must not stand in a close frame (RFC 6455 §7.4).</exception>
    internal static WebSocketCloseStatus FromCode(int code)
    {
        var status = (WebSocketCloseStatus)code;
        return status.IsAllowedOnWire()
            ? status
            : throw new ArgumentOutOfRangeException(nameof(code), code, "The code must not stand in a close frame (RFC 6455 §7.4).");
    }

    /// <summary>Tells whether the code belongs to the protocol and its extensions: 1000–2999 (RFC 6455 §7.4.2).</summary>
    /// <param name="status">The code.</param>
    /// <returns>True if it is in the range.</returns>
    public static bool IsProtocolDefined(this WebSocketCloseStatus status) => (int)status is >= 1000 and <= 2999;

    /// <summary>Tells whether the code belongs to libraries and frameworks, registered with IANA: 3000–3999 (RFC 6455 §7.4.2).</summary>
    /// <param name="status">The code.</param>
    /// <returns>True if it is in the range.</returns>
    public static bool IsLibraryDefined(this WebSocketCloseStatus status) => (int)status is >= 3000 and <= 3999;

    /// <summary>Tells whether the code is for private use between applications: 4000–4999 (RFC 6455 §7.4.2).</summary>
    /// <param name="status">The code.</param>
    /// <returns>True if it is in the range.</returns>
    public static bool IsApplicationDefined(this WebSocketCloseStatus status) => (int)status is >= 4000 and <= 4999;
}
