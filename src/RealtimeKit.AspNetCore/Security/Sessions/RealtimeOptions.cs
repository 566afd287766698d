using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// How many connections a host takes from whom, and what happens when their authentication expires: WebSockets, event streams and those of
/// topics together. Every value has a safe default and is validated where it is set.
/// </summary>
public sealed class RealtimeOptions
{
    private ConnectionCaps? _caps;

    /// <summary>The most connections of the host at once; those beyond are refused with 503. Default: <see langword="null"/>, as many as the server takes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MaxConnections { get; set => field = Positive(value); }

    /// <summary>
    /// The most connections of one user at once, as <see cref="UserId"/> names it; those beyond are refused with 429. Who has not signed
    /// in is not counted by this. Default: 100. <see langword="null"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MaxConnectionsPerUser { get; set => field = Positive(value); } = 100;

    /// <summary>
    /// The most connections from one address at once, IPv6 addresses by their first 64 bits; those beyond are refused with 429. Behind a
    /// proxy all clients share its address unless the forwarded headers middleware says otherwise, and many people share one behind a
    /// carrier's. Default: <see langword="null"/>, no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MaxConnectionsPerAddress { get; set => field = Positive(value); }

    /// <summary>
    /// The most WebSockets over one HTTP/2 connection at once (RFC 8441); those beyond are refused with 429. Independent of Kestrel's
    /// <c>MaxStreamsPerConnection</c>, whose default is the same. Default: 100. <see langword="null"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int? MaxWebSocketsPerHttp2Connection { get; set => field = Positive(value); } = 100;

    /// <summary>
    /// How often may be connected: asked for one permit before each upgrade or stream, partitioned by whatever the application likes, such
    /// as the address or the connection. Without a permit the request is refused with 429, and with the limiter's own <c>Retry-After</c>
    /// where it has one. It stays the application's to dispose. Default: <see langword="null"/>, not limited.
    /// </summary>
    public PartitionedRateLimiter<HttpContext>? ConnectLimiter { get; set; }

    /// <summary>What <c>Retry-After</c> says where a limit was reached. Whole seconds count. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 s or more than 1 hour.</exception>
    public TimeSpan RetryAfter { get; set => field = InRange(value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)); } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Says who a user is: by what connections are counted, and who may refresh them. Default: the claim
    /// <see cref="ClaimTypes.NameIdentifier"/>, or else <c>sub</c>, or else the identity's name. Not asked where nobody signed in.
    /// </summary>
    public Func<ClaimsPrincipal, string?> UserId { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = UserIds.Of;

    /// <summary>
    /// Whether a connection is closed once its authentication has expired, WebSockets with 4401, unless
    /// <see cref="RealtimeSession.Refresh"/> has extended it. When that is, the authentication scheme says
    /// (<c>AuthenticationProperties.ExpiresUtc</c>), or else the claim <c>exp</c>. Default: <see langword="true"/>.
    /// </summary>
    public bool CloseOnExpiry { get; set; } = true;

    /// <summary>How long after that, for clocks that differ and refreshes on their way. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or more than 1 hour.</exception>
    public TimeSpan ExpiryGrace { get; set => field = InRange(value, TimeSpan.Zero, TimeSpan.FromHours(1)); } = TimeSpan.FromSeconds(10);

    /// <summary>The clock by which authentication expires. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;

    /// <summary>What is counted by these: there is one of these options for each host.</summary>
    internal ConnectionCaps Caps => Volatile.Read(ref _caps) ?? Interlocked.CompareExchange(ref _caps, new ConnectionCaps(this), null) ?? _caps;

    private static int? Positive(int? value, [CallerMemberName] string name = "")
    {
        if (value is { } number)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number, name);
        return value;
    }

    private static TimeSpan InRange(TimeSpan value, TimeSpan minimum, TimeSpan maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }
}
