using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// What a WebSocket endpoint accepts. Every value has a safe default and is validated where it is set; an endpoint copies the
/// options when it is mapped, so later changes do not reach it.
/// </summary>
public sealed class WebSocketEndpointOptions
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
    public OriginPolicy Origins { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = OriginPolicy.SameOrigin;

    /// <summary>
    /// What the endpoint wants of permessage-deflate (RFC 7692), for clients that offer it. Default: <see langword="null"/>, no
    /// compression. The same as <see cref="WebSocketConnectionOptions.Compression"/> of <see cref="Connection"/>.
    /// </summary>
    public PerMessageDeflateOptions? Compression
    {
        get => Connection.Compression;
        set => Connection.Compression = value;
    }

    /// <summary>
    /// The limits and deadlines of each connection. Role and subprotocol are the endpoint's to set: what stands there is ignored.
    /// </summary>
    public WebSocketConnectionOptions Connection { get; private set; } = new();

    /// <summary>
    /// How much the connections of a user or an address may send together, beyond what <see cref="Connection"/> lets each. Default:
    /// <see langword="null"/>, no such limits.
    /// </summary>
    public RealtimeRateLimits? RateLimits { get; set; }

    /// <summary>The limits of the opening handshake.</summary>
    public WebSocketHandshakeOptions Handshake { get; private set; } = new();

    /// <summary>
    /// Whether HTTP/1.1 connections run over the server's upgrade stream even where its own pipes, which cost less CPU, are safe to
    /// use. Default: <see langword="false"/>.
    /// </summary>
    public bool ForceStream { get; set; }

    /// <summary>
    /// Asked once a handshake is in order, its origin and its user allowed, while the status can still be chosen; <see langword="null"/>, the
    /// default, for all. It may choose the subprotocol. Where it answers <see langword="false"/>, the handshake is refused with the
    /// status that it has set, or else with 403. A browser tells its page of a refusal nothing but 1006: where the page has to know why,
    /// accept, and close with a code of your own.
    /// </summary>
    public Func<WebSocketOffer, HttpContext, ValueTask<bool>>? Accept { get; set; }

    /// <summary>
    /// Asked, with the subprotocol chosen, before a handshake that is in order is answered; where it says no, it has written the response.
    /// </summary>
    internal Func<HttpContext, string?, ValueTask<bool>>? Accepting { get; set; }

    internal WebSocketEndpointOptions Copy(IServiceProvider? services = null)
    {
        var copy = (WebSocketEndpointOptions)MemberwiseClone();
        copy.Connection = Connection.Clone();
        copy.Connection.Role = WebSocketRole.Server;
        copy.Connection.LeaveOpen = true;
        copy.Connection.SubProtocol = null;
        copy.Connection.CompressionParameters = null;
        copy.Connection.MeterFactory ??= services?.GetService<IMeterFactory>();
        copy.Connection.MemoryBudget ??= services?.GetService<RealtimeMemoryBudget>();
        copy.Handshake = Handshake.Clone();
        return copy;
    }
}
