using System.Security.Claims;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

/// <summary>
/// The authentication of an open connection, a WebSocket or an event stream: whose it is, and until when. Once it has expired the
/// connection is closed, WebSockets with 4401, unless it was refreshed before. Safe from any thread.
/// </summary>
/// <remarks>
/// Refreshing in band: the client sends a fresh token in the application's own protocol, whose handler validates it and calls
/// <see cref="Refresh"/>; or a ticket, with <see cref="HttpContextSessionExtensions.RefreshWithTicketAsync"/>.
/// </remarks>
public sealed partial class RealtimeSession : IConnectionSession
{
    private readonly Lock _lock = new();
    private readonly RealtimeOptions _options;
    private readonly ConnectionKeys _keys;
    private readonly ILogger _logger;
    private Timer? _timer;
    private IOpenConnection? _connection;
    private bool _isExpired;
    private bool _isEnded;

    internal RealtimeSession(RealtimeOptions options, in ConnectionKeys keys, ClaimsPrincipal user, string? userId, DateTimeOffset? expiresUtc, ILogger logger)
    {
        _options = options;
        _keys = keys;
        _logger = logger;
        User = user;
        UserId = userId;
        ExpiresUtc = expiresUtc;
    }

    /// <summary>The user, as of the last refresh. <c>HttpContext.User</c> stays the one who connected.</summary>
    public ClaimsPrincipal User { get; private set; }

    /// <summary>Who that is, by <see cref="RealtimeOptions.UserId"/>; <see langword="null"/> where it has no name. It never changes.</summary>
    public string? UserId { get; }

    /// <summary>When the authentication expires; <see langword="null"/> for never, as far as is known.</summary>
    public DateTimeOffset? ExpiresUtc { get; private set; }

    Func<Task>? IConnectionSession.Ending { get; set; }

    /// <summary>Extends the connection's life by a newer authentication of the same user.</summary>
    /// <param name="user">The user, whose credentials the caller has validated.</param>
    /// <param name="expiresUtc">When the newer authentication expires; <see langword="null"/> for never.</param>
    /// <returns>What came of it. Whatever else but <see cref="RealtimeRefreshResult.Refreshed"/> leaves everything as it was.</returns>
    public RealtimeRefreshResult Refresh(ClaimsPrincipal user, DateTimeOffset? expiresUtc)
    {
        ArgumentNullException.ThrowIfNull(user);

        // Somebody without a name is not known to be the same.
        var isSame = UserId is not null && user.Identities.Any(static identity => identity.IsAuthenticated)
            && string.Equals(_options.UserId(user), UserId, StringComparison.Ordinal);
        var result = RealtimeRefreshResult.Refreshed;
        lock (_lock)
        {
            if (_isEnded || _isExpired)
                result = RealtimeRefreshResult.Ended;
            else if (!isSame)
                result = RealtimeRefreshResult.OtherUser;
            else if (expiresUtc <= _options.TimeProvider.GetUtcNow())
                result = RealtimeRefreshResult.Expired;
            else
            {
                User = user;
                ExpiresUtc = expiresUtc;
                Schedule();
            }
        }

        if (result == RealtimeRefreshResult.Refreshed)
            Log.Refreshed(_logger, UserId, expiresUtc);
        else
            Log.RefreshRefused(_logger, UserId, result);
        return result;
    }

    void IConnectionSession.Start(IOpenConnection connection)
    {
        lock (_lock)
        {
            _connection = connection;
            Schedule();
        }
    }

    /// <summary>The connection has ended. Only the library calls this.</summary>
    void IDisposable.Dispose()
    {
        Timer? timer;
        lock (_lock)
        {
            if (_isEnded)
                return;
            _isEnded = true;
            timer = _timer;
            _connection = null;
        }

        _options.Caps.Leave(_keys);
        if (timer is not null)
            TimerWheel.For(_options.TimeProvider).Remove(timer);
    }

    // Under the lock. The wheel visits a distant deadline every minute, so that a clock that is set counts.
    private void Schedule()
    {
        if (_isEnded || _connection is null || ExpiresUtc is null || !_options.CloseOnExpiry)
            return;
        _timer ??= new Timer(this);
        TimerWheel.For(_options.TimeProvider).Schedule(_timer, TimeSpan.FromTicks(Math.Max(0, Left().Ticks)));
    }

    private TimeSpan Left() => ConnectionAdmission.TimeLeft(_options, ExpiresUtc) ?? TimeSpan.FromMinutes(1);

    private TimeSpan OnDue()
    {
        lock (_lock)
        {
            if (_isEnded || _isExpired)
                return Timeout.InfiniteTimeSpan;
            if (Left() is var left && left > TimeSpan.Zero)
                return left;
            _isExpired = true;
        }

        // Nothing foreign runs on the wheel.
        ThreadPool.UnsafeQueueUserWorkItem(static session => session.Expire(), this, preferLocal: false);
        return Timeout.InfiniteTimeSpan;
    }

    private void Expire()
    {
        if (_connection is not { } connection)
            return;
        Log.Expired(_logger, UserId);
        connection.Expire();
    }

    private sealed class Timer(RealtimeSession session) : TimerWheelEntry
    {
        public override TimeSpan OnDue() => session.OnDue();
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.AuthenticationExpired, LogLevel.Information, "The authentication of user {UserId} has expired: the connection is closed.", EventName = nameof(RealtimeEventIds.AuthenticationExpired))]
        public static partial void Expired(ILogger logger, string? userId);

        [LoggerMessage(RealtimeEventIds.AuthenticationRefreshed, LogLevel.Information, "The authentication of user {UserId} was refreshed, until {ExpiresUtc:O}.", EventName = nameof(RealtimeEventIds.AuthenticationRefreshed))]
        public static partial void Refreshed(ILogger logger, string? userId, DateTimeOffset? expiresUtc);

        [LoggerMessage(RealtimeEventIds.RefreshRefused, LogLevel.Warning, "A refresh of the connection of user {UserId} was refused: {Reason}.", EventName = nameof(RealtimeEventIds.RefreshRefused))]
        public static partial void RefreshRefused(ILogger logger, string? userId, RealtimeRefreshResult reason);
    }
}
