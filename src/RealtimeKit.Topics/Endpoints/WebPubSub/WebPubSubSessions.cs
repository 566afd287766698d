namespace RealtimeKit.Topics;

/// <summary>The reliable connections of an endpoint, by their ids: those with a socket, and those that wait for theirs to come back.</summary>
internal sealed class WebPubSubSessions(WebPubSubOptions options, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WebPubSubSession> _all = new(StringComparer.Ordinal);
    private readonly LinkedList<WebPubSubSession> _lost = new();   // who lost its socket first stands first, and goes first
    private ITimer? _timer;

    public WebPubSubSession Create(string? userId)
    {
        var session = new WebPubSubSession(this, userId, options, clock);
        if (options.RecoveryWindow == TimeSpan.Zero)
            return session;
        lock (_lock)
            _all.Add(session.Id, session);
        return session;
    }

    /// <summary>Finds the connection of a client that comes back.</summary>
    /// <returns><see langword="null"/> where there is none, the token is another, or the user is: which of them, it need not know.</returns>
    public WebPubSubSession? Find(string? id, string? token, string? userId)
    {
        if (id is null || token is null)
            return null;
        WebPubSubSession? session;
        lock (_lock)
            session = _all.GetValueOrDefault(id);
        return session is not null && session.IsToken(token) && session.UserId == userId ? session : null;
    }

    public void Remove(WebPubSubSession session)
    {
        lock (_lock)
        {
            _all.Remove(session.Id);
            TakeOffLost(session);
        }
    }

    public void OnTaken(WebPubSubSession session)
    {
        lock (_lock)
            TakeOffLost(session);
    }

    public void OnLost(WebPubSubSession session)
    {
        lock (_lock)
        {
            if (!_all.ContainsKey(session.Id))
                return;
            session.LostAt = clock.GetTimestamp();
            session.LostNode = _lost.AddLast(session);
            if (_lost.Count == 1)
                Schedule();
        }
    }

    /// <summary>Gives up those that waited for too long, and those that are too many.</summary>
    public void GiveUpOldest()
    {
        while (true)
        {
            WebPubSubSession oldest;
            lock (_lock)
            {
                if (_lost.First is not { } first)
                    return;
                oldest = first.Value;
                if (_lost.Count <= options.MaxRecoverableConnections && clock.GetElapsedTime(oldest.LostAt) < options.RecoveryWindow)
                {
                    Schedule();
                    return;
                }

                TakeOffLost(oldest);
            }

            // Not under the lock: the session's own comes first.
            oldest.GiveUp();
        }
    }

    // Under the lock.
    private void TakeOffLost(WebPubSubSession session)
    {
        if (session.LostNode is not { } node)
            return;
        _lost.Remove(node);
        session.LostNode = null;
    }

    // Under the lock. For the first, which goes first.
    private void Schedule()
    {
        var left = options.RecoveryWindow - clock.GetElapsedTime(_lost.First!.Value.LostAt);
        if (left < TimeSpan.Zero)
            left = TimeSpan.Zero;
        _timer ??= clock.CreateTimer(static sessions => ((WebPubSubSessions)sessions!).GiveUpOldest(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(left, Timeout.InfiniteTimeSpan);
    }
}
