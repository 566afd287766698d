using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Claims;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace RealtimeKit.Topics;

/// <summary>The topics of an application on this node: publishing, subscribing, cursors, connections and presence. Safe from any thread.</summary>
public sealed partial class TopicHub : ITopicPublisher, IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly TopicMetrics _metrics;
    private readonly Lock _lock = new();
    private TopicSubscription? _first;
    private bool _isDraining;

    /// <summary>Makes a hub, for those who use no dependency injection.</summary>
    /// <param name="engine">The engine, which becomes the hub's to dispose; in process where <see langword="null"/>.</param>
    /// <param name="options">The options; the defaults where <see langword="null"/>.</param>
    /// <param name="logger">Where failures go; nowhere where <see langword="null"/>.</param>
    /// <param name="meterFactory">Who makes the meter; the hub itself where <see langword="null"/>.</param>
    public TopicHub(ITopicEngine? engine = null, TopicsOptions? options = null, ILogger<TopicHub>? logger = null, IMeterFactory? meterFactory = null)
    {
        Options = options ?? new TopicsOptions();
        Engine = engine ?? new InProcessTopicEngine(Options);
        _logger = logger ?? NullLogger<TopicHub>.Instance;
        _metrics = new TopicMetrics(meterFactory);
        Connections = new TopicConnections(this);
        Presence = new TopicPresence(this);
    }

    /// <summary>The options.</summary>
    public TopicsOptions Options { get; }

    /// <summary>The engine.</summary>
    public ITopicEngine Engine { get; }

    /// <summary>The open connections, of all nodes.</summary>
    public TopicConnections Connections { get; }

    /// <summary>Who is subscribed to topics with <see cref="TopicOptions.Presence"/>.</summary>
    public TopicPresence Presence { get; }

    /// <summary>Whether a user may do something with a topic, by the topic's options: for endpoints, before they publish for a client.</summary>
    /// <param name="user">The user.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="action">What for. Subscribing asks by itself.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it may; never where the name is not allowed.</returns>
    public ValueTask<bool> AuthorizeAsync(ClaimsPrincipal user, string topic, TopicAction action, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(topic);
        return AuthorizeAsync(new TopicAccess(user, topic, action, false, cancellationToken));
    }

    /// <summary>
    /// The newest positions of topics: a page that is rendered now and subscribes after this cursor misses nothing in between.
    /// </summary>
    /// <param name="topics">The topics, up to <see cref="TopicsOptions.MaxTopicsPerSubscription"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The cursor; its <see cref="TopicCursor.ToString"/> is what goes into the page.</returns>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    /// <exception cref="TopicLimitException">There are too many topics for a cursor.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<TopicCursor> GetCursorAsync(IEnumerable<string> topics, CancellationToken cancellationToken = default) =>
        GetCursorAsync(topics, fromOldest: false, cancellationToken);

    /// <summary>
    /// The positions before the oldest entries that are held of topics: whoever subscribes after this cursor reads the history first. What
    /// leaves the history between the two is told as a gap.
    /// </summary>
    /// <param name="topics">The topics, up to <see cref="TopicsOptions.MaxTopicsPerSubscription"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The cursor.</returns>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    /// <exception cref="TopicLimitException">There are too many topics for a cursor.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<TopicCursor> GetOldestCursorAsync(IEnumerable<string> topics, CancellationToken cancellationToken = default) =>
        GetCursorAsync(topics, fromOldest: true, cancellationToken);

    /// <summary>Subscribes.</summary>
    /// <param name="subscriber">Where to deliver; it may be called before this returns.</param>
    /// <param name="topics">The topics. None is fine: they can be added later.</param>
    /// <param name="after">
    /// The position in each topic after which to deliver; topics that it does not have begin with what is published from now on. Topics
    /// that only it has are not subscribed to.
    /// </param>
    /// <param name="options">For whom, and how; for the application itself where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The subscription, to be disposed when the subscriber has gone.</returns>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    /// <exception cref="TopicAccessDeniedException">The user may not subscribe to one of the topics; then to none.</exception>
    /// <exception cref="TopicLimitException">There are too many topics.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    /// <exception cref="InvalidOperationException">The hub is draining.</exception>
    public async ValueTask<TopicSubscription> SubscribeAsync(
        ITopicSubscriber subscriber,
        IEnumerable<string> topics,
        TopicCursor? after = null,
        TopicSubscribeOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        ArgumentNullException.ThrowIfNull(topics);
        options ??= TopicSubscribeOptions.Default;
        after ??= TopicCursor.Empty;
        var names = topics as IReadOnlyCollection<string> ?? [.. topics];
        foreach (var topic in names)
        {
            TopicName.ThrowIfInvalid(topic, nameof(topics));
            await AuthorizeSubscribeAsync(options.User, topic, after.TryGetPosition(topic, out _), cancellationToken).ConfigureAwait(false);
        }

        var subscription = new TopicSubscription(this, subscriber, options);
        Add(subscription);
        try
        {
            foreach (var topic in names)
                await subscription.AttachAsync(topic, after.TryGetPosition(topic, out var position) ? position : null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await subscription.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        subscription.WakeOnPool();
        return subscription;
    }

    /// <summary>
    /// Reads topics within the application: entries and gaps, in the order of each topic. A reader that is slow falls under the topic's
    /// policy as any other.
    /// </summary>
    /// <param name="topics">The topics.</param>
    /// <param name="after">As for <see cref="SubscribeAsync"/>.</param>
    /// <param name="options">For whom, and how; for the application itself where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends reading.</param>
    /// <returns>Subscribes when it is enumerated, and until then. Ends when the hub drains.</returns>
    /// <exception cref="TopicSubscriptionEndedException">While it is enumerated: the reader was too slow, or would have to skip what it must not.</exception>
    public IAsyncEnumerable<TopicItem> ReadAllAsync(
        IEnumerable<string> topics, TopicCursor? after = null, TopicSubscribeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topics);
        return TopicReader.ReadAllAsync(this, topics, after, options, cancellationToken);
    }

    /// <summary>
    /// Ends all subscriptions as <see cref="TopicSubscriptionEnd.Draining"/>, spread evenly over a time, and refuses new ones: for a host
    /// that stops, so that its clients do not all come back at once.
    /// </summary>
    /// <param name="window">Over how long.</param>
    /// <param name="cancellationToken">Ends the rest at once.</param>
    public async ValueTask DrainAsync(TimeSpan window, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.Zero);
        lock (_lock)
            _isDraining = true;
        var subscriptions = List();
        var started = Options.TimeProvider.GetTimestamp();
        for (var i = 0; i < subscriptions.Count; i++)
        {
            var pause = (window * ((double)i / subscriptions.Count)) - Options.TimeProvider.GetElapsedTime(started);
            if (pause > TimeSpan.Zero && !cancellationToken.IsCancellationRequested)
                await Task.Delay(pause, Options.TimeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await subscriptions[i].EndAsync(TopicSubscriptionEnd.Draining, null).ConfigureAwait(false);
        }
    }

    /// <summary>Ends everything, the engine included.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        Connections.Dispose();
        _metrics.Dispose();
        await Engine.DisposeAsync().ConfigureAwait(false);
    }

    internal async ValueTask AuthorizeSubscribeAsync(ClaimsPrincipal? user, string topic, bool isResume, CancellationToken cancellationToken)
    {
        if (user is not null && !await AuthorizeAsync(new TopicAccess(user, topic, TopicAction.Subscribe, isResume, cancellationToken)).ConfigureAwait(false))
            throw new TopicAccessDeniedException(topic, TopicAction.Subscribe);
    }

    internal async ValueTask JoinAsync(TopicSlot slot)
    {
        if (slot.Subscription.ConnectionId is not null)
            await Connections.JoinAsync(slot).ConfigureAwait(false);
    }

    internal async ValueTask LeaveAsync(TopicSlot slot)
    {
        await Engine.DetachAsync(slot.Log).ConfigureAwait(false);
        if (slot.Subscription.ConnectionId is not null)
            await Connections.LeaveAsync(slot).ConfigureAwait(false);
    }

    internal void OnDelivered(ReadOnlySpan<TopicItem> items)
    {
        if (_metrics.IsEnabled)
            _metrics.OnDelivered(items, Options.TimeProvider);
        if (TopicMetrics.Activities.HasListeners())
            TopicMetrics.TraceDelivery(items);
    }

    internal void Remove(TopicSubscription subscription)
    {
        lock (_lock)
        {
            if (subscription.PreviousOfHub is { } previous)
                previous.NextOfHub = subscription.NextOfHub;
            else if (_first == subscription)
                _first = subscription.NextOfHub;
            if (subscription.NextOfHub is { } next)
                next.PreviousOfHub = subscription.PreviousOfHub;
            subscription.NextOfHub = subscription.PreviousOfHub = null;
        }

        _metrics.OnUnsubscribed();
    }

    internal void LogSubscriberFailed(Exception error) => Log.SubscriberFailed(_logger, error);

    internal void LogRequestFailed(Exception error) => Log.RequestFailed(_logger, error);

    internal void LogPresenceFailed(Exception error) => Log.PresenceFailed(_logger, error);

    private ValueTask<bool> AuthorizeAsync(in TopicAccess access)
    {
        if (!TopicName.IsValid(access.Topic))
            return new ValueTask<bool>(false);
        var options = Options.Resolve(access.Topic);
        return access.Action == TopicAction.Subscribe
            ? options.AuthorizeSubscribe?.Invoke(access) ?? new ValueTask<bool>(true)
            : options.AuthorizePublish?.Invoke(access) ?? new ValueTask<bool>(false);
    }

    private async ValueTask<TopicCursor> GetCursorAsync(IEnumerable<string> topics, bool fromOldest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        var cursor = TopicCursor.Empty;
        foreach (var topic in topics)
        {
            TopicName.ThrowIfInvalid(topic, nameof(topics));
            if (cursor.Count >= Options.MaxTopicsPerSubscription && !cursor.TryGetPosition(topic, out _))
                throw new TopicLimitException($"A subscription has at most {Options.MaxTopicsPerSubscription} topics.");
            var position = await Engine.GetPositionAsync(topic, cancellationToken).ConfigureAwait(false);
            if (fromOldest)
            {
                position = position with { Offset = 0 };
                position = (await Engine.ReadAsync(topic, position, 1, cancellationToken).ConfigureAwait(false)).Gap?.To ?? position;
            }

            cursor = cursor.With(topic, position);
        }

        return cursor;
    }

    private void Add(TopicSubscription subscription)
    {
        lock (_lock)
        {
            if (_isDraining)
                throw new InvalidOperationException("The topics are draining: nobody can subscribe any more.");
            subscription.NextOfHub = _first;
            if (_first is not null)
                _first.PreviousOfHub = subscription;
            _first = subscription;
        }

        _metrics.OnSubscribed();
    }

    private List<TopicSubscription> List()
    {
        var list = new List<TopicSubscription>();
        lock (_lock)
        {
            for (var subscription = _first; subscription is not null; subscription = subscription.NextOfHub)
                list.Add(subscription);
        }

        return list;
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.SubscriberFailed, LogLevel.Error, "A topic subscriber threw when it was told that its subscription has ended.", EventName = nameof(RealtimeEventIds.SubscriberFailed))]
        public static partial void SubscriberFailed(ILogger logger, Exception error);

        [LoggerMessage(RealtimeEventIds.PresenceFailed, LogLevel.Warning, "Connections or presence could not be told to the other nodes; it is tried again with the next renewal.", EventName = nameof(RealtimeEventIds.PresenceFailed))]
        public static partial void PresenceFailed(ILogger logger, Exception error);

        [LoggerMessage(RealtimeEventIds.ClientRequestFailed, LogLevel.Error, "A client's request failed in the application's own code.", EventName = nameof(RealtimeEventIds.ClientRequestFailed))]
        public static partial void RequestFailed(ILogger logger, Exception error);
    }
}
