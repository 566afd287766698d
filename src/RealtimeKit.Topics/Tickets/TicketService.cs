using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace RealtimeKit.Topics;

/// <summary>
/// Issues and redeems one-time tickets, with which pages open WebSockets and event streams that take no headers: 256 random bits, used
/// once, within seconds, by the origin and for the endpoint for which they were issued. A store sees only their hashes, a log nothing.
/// Safe from any thread.
/// </summary>
public sealed partial class TicketService
{
    private const int TicketSize = 32;
    private const int TicketLength = 43;   // base64url of 32 bytes

    private readonly ITicketStore _store;
    private readonly ILogger _logger;

    /// <summary>Creates a service.</summary>
    /// <param name="store">Where tickets are kept.</param>
    /// <param name="options">How they are issued and redeemed.</param>
    /// <param name="logger">Where it is logged who was issued a ticket, redeemed one, or was refused.</param>
    public TicketService(ITicketStore store, TicketOptions options, ILogger<TicketService>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        _store = store;
        Options = options;
        _logger = logger ?? NullLogger<TicketService>.Instance;
    }

    /// <summary>How tickets are issued and redeemed.</summary>
    public TicketOptions Options { get; }

    /// <summary>Issues a ticket.</summary>
    /// <param name="user">To whom.</param>
    /// <param name="endpoint">For which of <see cref="TicketOptions.Endpoints"/>.</param>
    /// <param name="origin">
    /// For a page of which origin, as browsers write it (<c>https://example.com</c>); <see langword="null"/> for no browser.
    /// </param>
    /// <param name="expiresUtc">When the user's authentication expires; <see langword="null"/> for never, as far as is known.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The ticket, or why there is none.</returns>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    public async ValueTask<TicketIssue> IssueAsync(
        ClaimsPrincipal user, string endpoint, string? origin, DateTimeOffset? expiresUtc = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(endpoint);
        var userId = UserIds.Of(user);
        if (!user.Identities.Any(static identity => identity.IsAuthenticated) || expiresUtc <= Options.TimeProvider.GetUtcNow())
            return Refuse(TicketFailure.NotSignedIn);
        if (!Options.Endpoints.Contains(endpoint, StringComparer.Ordinal))
            return Refuse(TicketFailure.EndpointNotAllowed);
        var record = new TicketRecord(PrincipalRecord.Of(user, Options.IncludeClaim), endpoint, origin, expiresUtc);
        var value = JsonSerializer.SerializeToUtf8Bytes(record, TicketJson.Default.TicketRecord);
        if (value.Length > Options.MaxUserSize)
            return Refuse(TicketFailure.UserTooLarge);

        var ticket = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TicketSize));
        if (!await _store.TryAddAsync(KeyOf(ticket), value, Options.Lifetime, cancellationToken).ConfigureAwait(false))
            return Refuse(TicketFailure.StoreFull);
        Log.Issued(_logger, userId, endpoint, origin);
        return new TicketIssue(ticket, Options.Lifetime);

        TicketIssue Refuse(TicketFailure failure)
        {
            Log.NotIssued(_logger, userId, origin, failure);
            return new TicketIssue(failure);
        }
    }

    /// <summary>Redeems a ticket. It is spent by that, whatever comes of it.</summary>
    /// <param name="ticket">What was sent.</param>
    /// <param name="endpoint">Which endpoint it shall open.</param>
    /// <param name="origin">
    /// The origin of the page that sent it, as its browser writes it; <see langword="null"/> for no browser. The page to which it was issued
    /// must have had the same.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The user, or why there is none.</returns>
    /// <exception cref="TicketStoreException">The store cannot be reached.</exception>
    public ValueTask<TicketRedemption> RedeemAsync(string ticket, string endpoint, string? origin, CancellationToken cancellationToken = default) =>
        RedeemAsync(ticket, endpoint, origin, isOwnPage: false, cancellationToken);

    /// <summary>Redeems a ticket.</summary>
    /// <param name="ticket">What was sent.</param>
    /// <param name="endpoint">Which endpoint it shall open.</param>
    /// <param name="origin">The origin of the page.</param>
    /// <param name="isOwnPage">
    /// Whether a request without an origin may come from a page of the server's own: browsers name none for an <c>EventSource</c> of the same
    /// origin (Fetch §3.2).
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async ValueTask<TicketRedemption> RedeemAsync(
        string ticket, string endpoint, string? origin, bool isOwnPage, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ArgumentNullException.ThrowIfNull(endpoint);
        if (ticket.Length != TicketLength || !Base64Url.IsValid(ticket))
            return Refuse(null, TicketFailure.Malformed);
        if (await _store.TakeAsync(KeyOf(ticket), cancellationToken).ConfigureAwait(false) is not { } value)
            return Refuse(null, TicketFailure.Unknown);

        var record = JsonSerializer.Deserialize(value.Span, TicketJson.Default.TicketRecord)!;
        var user = record.User.ToPrincipal();
        var userId = UserIds.Of(user);
        if (record.Endpoint != endpoint)
            return Refuse(userId, TicketFailure.OtherEndpoint);
        if (!(origin is null && isOwnPage) && !string.Equals(record.Origin, origin, StringComparison.OrdinalIgnoreCase))
            return Refuse(userId, TicketFailure.OtherOrigin);
        if (record.Expires <= Options.TimeProvider.GetUtcNow())
            return Refuse(userId, TicketFailure.Unknown);
        Log.Redeemed(_logger, userId, endpoint, origin);
        return new TicketRedemption(user, record.Expires);

        TicketRedemption Refuse(string? userId, TicketFailure failure)
        {
            Log.Refused(_logger, userId, endpoint, origin, failure);
            return new TicketRedemption(failure);
        }
    }

    private static string KeyOf(string ticket)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(ticket), hash);
        return Base64Url.EncodeToString(hash);
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.TicketIssued, LogLevel.Information, "Ticket issued to user {UserId} of {Origin} for {Endpoint}.", EventName = nameof(RealtimeEventIds.TicketIssued))]
        public static partial void Issued(ILogger logger, string? userId, string endpoint, string? origin);

        [LoggerMessage(RealtimeEventIds.TicketNotIssued, LogLevel.Information, "No ticket issued to user {UserId} of {Origin}: {Reason}.", EventName = nameof(RealtimeEventIds.TicketNotIssued))]
        public static partial void NotIssued(ILogger logger, string? userId, string? origin, TicketFailure reason);

        [LoggerMessage(RealtimeEventIds.TicketRedeemed, LogLevel.Information, "Ticket redeemed by user {UserId} of {Origin} for {Endpoint}.", EventName = nameof(RealtimeEventIds.TicketRedeemed))]
        public static partial void Redeemed(ILogger logger, string? userId, string endpoint, string? origin);

        [LoggerMessage(RealtimeEventIds.TicketRefused, LogLevel.Information, "Ticket of user {UserId} from {Origin} refused for {Endpoint}: {Reason}.", EventName = nameof(RealtimeEventIds.TicketRefused))]
        public static partial void Refused(ILogger logger, string? userId, string endpoint, string? origin, TicketFailure reason);
    }
}
