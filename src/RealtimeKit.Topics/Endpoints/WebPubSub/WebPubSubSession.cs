using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace RealtimeKit.Topics;

/// <summary>
/// A reliable connection, which outlives its socket. One client holds it at a time: whoever comes back ends the one before it, which the
/// server may not know yet to be gone.
/// </summary>
internal sealed class WebPubSubSession(WebPubSubSessions sessions, string? userId, WebPubSubOptions options, TimeProvider clock)
{
    // How long the client before may take to let go: what it has begun to publish is finished first.
    private static readonly TimeSpan HandoverTimeout = TimeSpan.FromSeconds(10);

    private readonly byte[] _token = Encoding.ASCII.GetBytes(TopicClient.NewSecret());
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TopicPosition> _sent = new(StringComparer.Ordinal);
    private WebPubSubClient? _holder;
    private TaskCompletionSource? _room;
    private bool _isEnded;

    public string Id { get; } = TopicClient.NewSecret();

    public string? UserId => userId;

    /// <summary>What the client comes back with; <see langword="null"/> where it cannot.</summary>
    public string? Token => options.RecoveryWindow > TimeSpan.Zero ? Encoding.ASCII.GetString(_token) : null;

    /// <summary>The numbers of the requests that were carried out: the holder's, which reads them one after the other.</summary>
    public AckIdWindow AckIds { get; } = new(options.RememberedAckIds);

    /// <summary>What was sent and not acknowledged: the holder's while nothing is delivered.</summary>
    public WebPubSubRing Ring { get; } = new();

    /// <summary>Where each topic goes on, once nobody holds it.</summary>
    public TopicCursor Cursor { get; private set; } = TopicCursor.Empty;

    // The table's.
    public long LostAt { get; set; }

    public LinkedListNode<WebPubSubSession>? LostNode { get; set; }

    public bool IsToken(string token) => CryptographicOperations.FixedTimeEquals(_token, Encoding.UTF8.GetBytes(token));

    /// <summary>Makes a client the holder, once the one before it has let go.</summary>
    /// <returns>Whether there still is something to hold.</returns>
    /// <exception cref="TopicRefusedException">The one before takes too long.</exception>
    public async ValueTask<bool> TakeAsync(WebPubSubClient client, CancellationToken cancellationToken)
    {
        while (true)
        {
            WebPubSubClient? holder;
            lock (_lock)
            {
                if (_isEnded)
                    return false;
                holder = _holder;
                if (holder is null)
                {
                    _holder = client;
                    sessions.OnTaken(this);
                    return true;
                }
            }

            holder.Abort();
            try
            {
                await holder.Released.WaitAsync(HandoverTimeout, clock, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw new TopicRefusedException(503, "The connection is still in use. Try again.");
            }
        }
    }

    /// <summary>Ends a client's hold. From now on the connection can be recovered.</summary>
    public void Release(WebPubSubClient client, TopicSubscription? subscription)
    {
        lock (_lock)
        {
            if (_holder != client)
                return;
            _holder = null;
            if (subscription is not null)
                Cursor = Merge(subscription.Cursor);
            _room?.TrySetResult();
            _room = null;
            if (_isEnded)
                return;
            sessions.OnLost(this);
        }

        sessions.GiveUpOldest();
    }

    /// <summary>Ends the connection for good.</summary>
    public void End() => End(onlyIfLost: false);

    /// <summary>Ends the connection, unless a client has come back meanwhile.</summary>
    public void GiveUp() => End(onlyIfLost: true);

    /// <summary>Numbers a batch, and writes it with its numbers.</summary>
    /// <param name="client">Who sends it.</param>
    /// <param name="items">The batch.</param>
    /// <param name="batch">Where to.</param>
    /// <exception cref="OperationCanceledException">The connection has another holder, or none.</exception>
    public void Number(WebPubSubClient client, ReadOnlySpan<TopicItem> items, WebSockets.WebSocketBatch batch)
    {
        Span<byte> head = stackalloc byte[WebPubSubMessages.MaxHeadLength];
        lock (_lock)
        {
            if (_holder != client)
                throw new OperationCanceledException("The client has lost its connection to another.");
            for (var i = 0; i < items.Length; i++)
            {
                ref readonly var item = ref items[i];
                if (item.Kind == TopicItemKind.Entry)
                {
                    var length = WebPubSubMessages.WriteHead(head, Ring.Add(item.Topic, item.Position));
                    batch.Add(head[..length], item.Entry.WebPubSubMessage.Payload.Span[1..], System.Net.WebSockets.WebSocketMessageType.Text);
                }

                // The subscription notes positions only once a batch was taken, and the connection may be gone before.
                if (item.Kind == TopicItemKind.Left)
                    _sent.Remove(item.Topic);
                else if (i + 1 == items.Length || !ReferenceEquals(items[i + 1].Topic, item.Topic))
                    CollectionsMarshal.GetValueRefOrAddDefault(_sent, item.Topic, out _) = item.Position;
            }
        }
    }

    public void Acknowledge(ulong number)
    {
        lock (_lock)
        {
            Ring.Acknowledge(number);
            if (_room is null || Ring.Count >= options.MaxUnacknowledgedMessages)
                return;
            _room.TrySetResult();
            _room = null;
        }
    }

    /// <summary>Waits until another batch may be sent.</summary>
    public Task WaitForRoomAsync(WebPubSubClient client)
    {
        lock (_lock)
        {
            if (_holder != client || Ring.Count < options.MaxUnacknowledgedMessages)
                return Task.CompletedTask;
            return (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>The topics of unacknowledged messages that the connection has left since.</summary>
    public IReadOnlyCollection<string> ListOnlyUnacknowledged()
    {
        var topics = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Ring.Count; i++)
        {
            if (!Cursor.TryGetPosition(Ring[i].Topic, out _))
                topics.Add(Ring[i].Topic);
        }

        return topics;
    }

    private void End(bool onlyIfLost)
    {
        lock (_lock)
        {
            if (onlyIfLost && _holder is not null)
                return;
            _isEnded = true;
        }

        sessions.Remove(this);
    }

    private TopicCursor Merge(TopicCursor told)
    {
        var positions = new KeyValuePair<string, TopicPosition>[told.Count];
        for (var i = 0; i < positions.Length; i++)
        {
            var (topic, position) = told[i];
            positions[i] = new(topic, _sent.TryGetValue(topic, out var sent) && sent > position ? sent : position);
        }

        return new TopicCursor(positions);
    }
}
