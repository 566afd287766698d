using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using RealtimeKit.WebSockets;

// The same for every host, about that host's requests.
#if HTTP_LISTENER
namespace System.Net;
#else
namespace RealtimeKit.AspNetCore;
#endif

/// <summary>
/// How much all connections of a user, an address or whatever else a request says may send together: each is asked once, when a connection
/// is made or a message is posted, for the partition that it belongs to; connections with the same key share its limiter. One object may
/// serve several endpoints, which then share the limiters too. What one connection may send by itself is limited by
/// <see cref="WebSocketConnectionOptions"/>.
/// </summary>
/// <remarks>
/// <para>Permits are taken before anything is dispatched, and are never waited for in a limiter's queue: what is refused ends the connection
/// with 1008, or waits until the limiter says to try again, as <see cref="WebSocketConnectionOptions.RateLimitAction"/> has it; a post is
/// refused with 429. A limiter of concurrency limits nothing here: permits are given back at once.</para>
/// <para>A limiter stays as long as a connection uses it, and then until it has been idle for ten seconds.</para>
/// </remarks>
#if HTTP_LISTENER
public sealed class HttpListenerRateLimits
#else
public sealed class RealtimeRateLimits
#endif
{
    private readonly RateLimitTable _messageTable = new();
    private readonly RateLimitTable _byteTable = new();
    private readonly RateLimitTable _controlTable = new();

    /// <summary>
    /// The limiter of messages, one permit each: those of WebSockets, and posts that publish or change a stream. Default: <see langword="null"/>, none.
    /// </summary>
    public Func<HostContext, RateLimitPartition<string>>? Messages { get; init; }

    /// <summary>
    /// The limiter of bytes, one permit each: those that arrive over WebSockets, as they stand on the wire, and the bodies of posts. They are asked for
    /// in pieces of up to 16,384, so that a limiter with fewer permits refuses everything. Default: <see langword="null"/>, none.
    /// </summary>
    public Func<HostContext, RateLimitPartition<string>>? Bytes { get; init; }

    /// <summary>
    /// The limiter of pings and pongs, one permit each; past it the connection is closed in any case. Default: <see langword="null"/>, none.
    /// </summary>
    public Func<HostContext, RateLimitPartition<string>>? ControlFrames { get; init; }

    /// <summary>
    /// A key for partitions: the user, where somebody signed in, or else the address that the request came from, of IPv6 its first 64 bits.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <returns><c>user:ID</c> or <c>address:ADDRESS</c>.</returns>
    public static string GetUserOrAddress(HostContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
#if HTTP_LISTENER
        var principal = context.User;
        var address = context.Request.RemoteEndPoint?.Address;
#else
        var principal = AnonymousUser.UserOf(context);
        var address = context.Connection.RemoteIpAddress;
#endif
        if (principal is { Identity.IsAuthenticated: true } user && GetUserId(user) is { Length: > 0 } id)
            return $"user:{id}";
        if (address is { IsIPv4MappedToIPv6: true })
            address = address.MapToIPv4();
        if (address is not { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 })
            return $"address:{address}";

        // One customer of a provider has a whole network of these (RFC 6177).
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return string.Create(CultureInfo.InvariantCulture, $"address:{new System.Net.IPAddress(bytes)}/64");
    }

    /// <summary>The limiter of a connection, to be disposed with it; <see langword="null"/> where nothing is limited.</summary>
    internal RequestRateLimiter? Open(HostContext context)
    {
        if (this is { Messages: null, Bytes: null, ControlFrames: null })
            return null;
        var limiter = new RequestRateLimiter();
        try
        {
            limiter.Messages = Open(_messageTable, Messages, context);
            limiter.Bytes = Open(_byteTable, Bytes, context);
            limiter.ControlFrames = Open(_controlTable, ControlFrames, context);
            return limiter;
        }
        catch
        {
            limiter.Dispose();
            throw;
        }
    }

    private static RateLimitTable.Entry? Open(RateLimitTable table, Func<HostContext, RateLimitPartition<string>>? partition, HostContext context) =>
        partition is null ? null : table.Open(partition(context));

#if HTTP_LISTENER
    private static string? GetUserId(System.Security.Principal.IPrincipal principal) =>
        principal is ClaimsPrincipal user ? GetUserId(user) : principal.Identity?.Name;
#endif

    private static string? GetUserId(ClaimsPrincipal user) =>
        user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value ?? user.Identity?.Name;
}
