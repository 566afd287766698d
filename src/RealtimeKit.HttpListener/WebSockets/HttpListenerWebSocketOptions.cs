using System.Diagnostics.Metrics;
using RealtimeKit.WebSockets;

namespace System.Net;

/// <summary>
/// What a WebSocket endpoint accepts. Every value has a safe default and is validated where it is set; an endpoint copies the
/// options when it is mapped, so later changes do not reach it.
/// </summary>
public sealed class HttpListenerWebSocketOptions
{
    /// <summary>
    /// The subprotocols that the endpoint knows; the first of the client's that stands here is chosen (RFC 6455 §4.2.2).
    /// Default: none, and the client's offer is left unanswered.
    /// </summary>
    /// <exception cref="ArgumentException">A name is not a token, or stands twice.</exception>
    public IReadOnlyList<string> SubProtocols
    {
        get => Handshake.SubProtocols;
        set => Handshake.SubProtocols = value;
    }

    /// <summary>Which web pages may connect. Default: those of the same origin.</summary>
    public HttpListenerOriginPolicy Origins { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = HttpListenerOriginPolicy.SameOrigin;

    /// <summary>
    /// The limits and deadlines of each connection. The framework's socket frames the bytes here: compression, the limits on control
    /// frames and on fragments, and the dead-peer deadline do not apply, and
    /// <see cref="WebSocketConnectionOptions.KeepAliveInterval"/> is how often that socket sends an unsolicited pong. Role and
    /// subprotocol are the endpoint's to set: what stands there is ignored.
    /// </summary>
    public WebSocketConnectionOptions Connection { get; private set; } = new();

    /// <summary>
    /// How much the connections of a user or an address may send together, beyond what <see cref="Connection"/> lets each. Default:
    /// <see langword="null"/>, no such limits.
    /// </summary>
    public HttpListenerRateLimits? RateLimits { get; set; }

    /// <summary>The limits of the opening handshake; the framework has read the headers by then.</summary>
    public WebSocketHandshakeOptions Handshake { get; private set; } = new();

    /// <summary>
    /// Asked once a handshake is in order, its origin allowed, while the status can still be chosen; <see langword="null"/>, the
    /// default, for all. It may choose the subprotocol. Where it answers <see langword="false"/>, the handshake is refused with the
    /// status that it has set, or else with 403. A browser tells its page of a refusal nothing but 1006: where the page has to know why,
    /// accept, and close with a code of your own.
    /// </summary>
    public Func<WebSocketOffer, HttpListenerContext, ValueTask<bool>>? Accept { get; set; }

    /// <summary>
    /// Asked, with the subprotocol chosen, before a handshake that is in order is answered; where it says no, it has written the response.
    /// </summary>
    internal Func<HttpListenerContext, string?, ValueTask<bool>>? Accepting { get; set; }

    internal HttpListenerWebSocketOptions Copy(HttpListenerRouterOptions? router = null)
    {
        var copy = (HttpListenerWebSocketOptions)MemberwiseClone();
        copy.Connection = Connection.Clone();
        copy.Connection.Role = WebSocketRole.Server;
        copy.Connection.Compression = null;
        copy.Connection.CompressionParameters = null;
        copy.Connection.MeterFactory ??= router?.MeterFactory;
        copy.Connection.MemoryBudget ??= router?.MemoryBudget;

        // The framework's socket gives a message in the pieces in which it arrives, which say nothing about its frames.
        copy.Connection.MaxFragmentsPerMessage = int.MaxValue;
        copy.Handshake = Handshake.Clone();
        return copy;
    }
}
