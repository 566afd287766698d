using System.Security.Claims;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// A cursor into one or more topics, and where to deliver what stands after it. There is no queue: the subscription reads the topics'
/// logs, one batch at a time, and the next batch only when the one before it is flushed. Replay and live delivery are the same.
/// Disposing it ends it. All members are safe from any thread.
/// </summary>
public sealed partial class TopicSubscription : IAsyncDisposable
{
    private readonly TopicHub _hub;
    private readonly ITopicSubscriber _subscriber;
    private readonly TopicSubscribeOptions _options;

    // Guards the topics; held while a batch is put together, never while it is sent.
    private Gate _gate;
    private TopicSlot? _firstSlot;
    private int _slotCount;
    private int _cursorLength;
    private List<TopicSlot>? _left;   // removed, and the subscriber has not been told yet
    private CursorText? _cursorText;
    private int _end = NotEnded;
    private ClaimsPrincipal? _user;

    private const int NotEnded = -1;

    internal TopicSubscription(TopicHub hub, ITopicSubscriber subscriber, TopicSubscribeOptions options)
    {
        _hub = hub;
        _subscriber = subscriber;
        _options = options;
        _user = options.User;
    }

    /// <summary>The connection's id, which publications can exclude; <see langword="null"/> where it has none.</summary>
    public string? ConnectionId => _options.ConnectionId;

    /// <summary>For whom the subscription is; <see langword="null"/> for the application itself.</summary>
    public ClaimsPrincipal? User => Volatile.Read(ref _user);

    /// <summary>The topics, in the order in which they were added; a copy.</summary>
    public IReadOnlyList<string> Topics
    {
        get
        {
            using (_gate.Enter())
            {
                var topics = new List<string>(_slotCount);
                for (var slot = _firstSlot; slot is not null; slot = slot.NextOfSubscription)
                    topics.Add(slot.Log.Topic);
                return topics;
            }
        }
    }

    /// <summary>The position in each topic after what was handed to the subscriber last.</summary>
    public TopicCursor Cursor
    {
        get
        {
            using (_gate.Enter())
            {
                var positions = new List<KeyValuePair<string, TopicPosition>>(_slotCount);
                for (var slot = _firstSlot; slot is not null; slot = slot.NextOfSubscription)
                    positions.Add(new(slot.Log.Topic, slot.Told));
                return new TopicCursor([.. positions]);
            }
        }
    }

    /// <summary>Why the subscription has ended; <see langword="null"/> while it has not.</summary>
    public TopicSubscriptionEnd? End => Volatile.Read(ref _end) is var end && end == NotEnded ? null : (TopicSubscriptionEnd)end;

    internal bool EndsAtGap => _options.EndAtGap;

    // Links of the hub's list.
    internal TopicSubscription? NextOfHub { get; set; }

    internal TopicSubscription? PreviousOfHub { get; set; }

    /// <summary>Adds a topic. Nothing happens where it is there already.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="after">After which position; <see langword="null"/> for what is published from now on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The position after which delivery begins; where the topic is there already, up to which it has got.</returns>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="TopicAccessDeniedException">The user may not.</exception>
    /// <exception cref="TopicLimitException">The subscription has as many topics as it may have, or its cursor would be too long.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    /// <exception cref="InvalidOperationException">The subscription has ended.</exception>
    public async ValueTask<TopicPosition> AddAsync(string topic, TopicPosition? after = null, CancellationToken cancellationToken = default)
    {
        TopicName.ThrowIfInvalid(topic, nameof(topic));
        await _hub.AuthorizeSubscribeAsync(User, topic, after is not null, cancellationToken).ConfigureAwait(false);
        var position = await AttachAsync(topic, after, cancellationToken).ConfigureAwait(false);
        WakeOnPool();
        return position;
    }

    /// <summary>Removes a topic. What is being delivered still is.</summary>
    /// <param name="topic">The topic.</param>
    /// <returns>Whether it was there.</returns>
    public async ValueTask<bool> RemoveAsync(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        TopicSlot? removed;
        using (_gate.Enter())
        {
            removed = Find(topic, out var previous);
            if (removed is null)
                return false;
            if (previous is null)
                _firstSlot = removed.NextOfSubscription;
            else
                previous.NextOfSubscription = removed.NextOfSubscription;
            _slotCount--;
            _cursorLength -= CursorRecord.MaxLengthFor(topic);
            removed.IsRemoved = true;
            removed.Log.Unlink(removed);
            if (removed.IsJoined)
                (_left ??= []).Add(removed);
        }

        WakeOnPool();
        await _hub.LeaveAsync(removed).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// The cursor after an item, as UTF-8: for subscribers, within <see cref="ITopicSubscriber.DeliverAsync"/>, for items of the batch in
    /// their order. Costs no more than copying the bytes where the subscription has one topic.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <returns>The text, valid until the next call.</returns>
    public ReadOnlySpan<byte> GetCursor(in TopicItem item)
    {
        // Only a batch in flight gets here, so nothing else moves the text.
        if (_isSingle)
            return item.Kind == TopicItemKind.Entry ? item.Entry.OwnCursor : TopicCursor.Encode(item.Topic, item.Position);
        if (_cursorText is null)
        {
            _cursorText = new CursorText();
            using (_gate.Enter())
            {
                // Those too that no batch has got to yet: who resumes with this must not come back without them.
                for (var slot = _firstSlot; slot is not null; slot = slot.NextOfSubscription)
                    _cursorText.Set(slot.Log.Topic, slot.Told);
            }
        }

        if (item.Kind == TopicItemKind.Left)
            _cursorText.Remove(item.Topic);
        else
            _cursorText.Set(item.Topic, item.Position);
        return _cursorText.Text;
    }

    /// <summary>Ends the subscription. What is being delivered still is; nothing is afterwards. <see cref="ITopicSubscriber.OnEnded"/> is not called.</summary>
    /// <returns>Completes when the topics were let go of; it does not wait for the delivery.</returns>
    public ValueTask DisposeAsync() => EndAsync(TopicSubscriptionEnd.Disposed, null);

    /// <summary>
    /// Goes on for the same user with newer rights: topics that these do not cover are removed. All are asked about before anything
    /// changes: where asking fails or is cancelled, everything stays as it was.
    /// </summary>
    /// <param name="user">The user. Nobody may add topics meanwhile.</param>
    /// <param name="accept">Called when all were asked about. False: everything stays as it was.</param>
    /// <param name="cancellationToken">Ends asking.</param>
    /// <returns>What <paramref name="accept"/> said.</returns>
    internal async ValueTask<bool> ReauthorizeAsync(ClaimsPrincipal user, Func<bool> accept, CancellationToken cancellationToken)
    {
        var denied = new List<string>();
        foreach (var topic in Topics)
        {
            try
            {
                await _hub.AuthorizeSubscribeAsync(user, topic, isResume: true, cancellationToken).ConfigureAwait(false);
            }
            catch (TopicAccessDeniedException)
            {
                denied.Add(topic);
            }
        }

        if (!accept())
            return false;
        Volatile.Write(ref _user, user);

        // All at once: each is out before its removal waits for anything, so that none stays because another's has failed.
        await Task.WhenAll(denied.ConvertAll(topic => RemoveAsync(topic).AsTask())).ConfigureAwait(false);
        return true;
    }

    /// <summary>Attaches to a topic without asking who may and without waking.</summary>
    internal async ValueTask<TopicPosition> AttachAsync(string topic, TopicPosition? after, CancellationToken cancellationToken)
    {
        using (_gate.Enter())
        {
            if (Find(topic, out _) is { } present)
                return present.Told;
            ThrowIfFull(topic);
        }

        var log = await _hub.Engine.AttachAsync(topic, cancellationToken).ConfigureAwait(false);
        var start = after ?? log.Position;
        var slot = new TopicSlot(log, this, start);
        try
        {
            using (_gate.Enter())
            {
                ObjectDisposedException.ThrowIf(_end != NotEnded, this);
                if (Find(topic, out var last) is { } present)
                {
                    slot.IsRemoved = true;   // two callers at once: the other was first
                    start = present.Told;
                }
                else
                {
                    ThrowIfFull(topic);
                    if (last is null)
                        _firstSlot = slot;
                    else
                        last.NextOfSubscription = slot;
                    _slotCount++;
                    _cursorLength += CursorRecord.MaxLengthFor(topic);
                }
            }
        }
        catch
        {
            await _hub.Engine.DetachAsync(log).ConfigureAwait(false);
            throw;
        }

        if (slot.IsRemoved)
            await _hub.Engine.DetachAsync(log).ConfigureAwait(false);
        else
            await _hub.JoinAsync(slot).ConfigureAwait(false);
        return start;   // delivery may have moved on from it by now
    }

    internal async ValueTask EndAsync(TopicSubscriptionEnd reason, Exception? exception)
    {
        TopicSlot? slots;
        if (Interlocked.CompareExchange(ref _end, (int)reason, NotEnded) != NotEnded)
            return;
        using (_gate.Enter())
        {
            slots = _firstSlot;
            for (var slot = slots; slot is not null; slot = slot.NextOfSubscription)
            {
                slot.IsRemoved = true;
                slot.Log.Unlink(slot);
            }
        }

        _hub.Remove(this);
        if (reason != TopicSubscriptionEnd.Disposed)
        {
            try
            {
                _subscriber.OnEnded(this, reason, exception);
            }
            catch (Exception error)
            {
                _hub.LogSubscriberFailed(error);
            }
        }

        for (var slot = slots; slot is not null; slot = slot.NextOfSubscription)
            await _hub.LeaveAsync(slot).ConfigureAwait(false);
    }

    private void ThrowIfFull(string topic)
    {
        if (_slotCount >= _hub.Options.MaxTopicsPerSubscription)
            throw new TopicLimitException($"A subscription has at most {_hub.Options.MaxTopicsPerSubscription} topics.");
        TopicCursor.ThrowIfTooLong(_cursorLength + CursorRecord.MaxLengthFor(topic));
    }

    // Under the gate. Where there is none, previous is the last.
    private TopicSlot? Find(string topic, out TopicSlot? previous)
    {
        previous = null;
        for (var slot = _firstSlot; slot is not null; slot = slot.NextOfSubscription)
        {
            if (slot.Log.Topic == topic)
                return slot;
            previous = slot;
        }

        return null;
    }
}
