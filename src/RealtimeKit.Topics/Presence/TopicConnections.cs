using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// The open connections of all nodes: finds, lists, sends to and disconnects them. What one node knows of another's connections is
/// renewed and expires (<see cref="TopicsOptions.PresenceLifetime"/>), so that a node which is gone leaves nothing behind.
/// </summary>
public sealed partial class TopicConnections
{
    private readonly TopicHub _hub;
    private readonly ITopicCluster _cluster;
    private readonly bool _isAlone;   // nothing has to be told to anybody
    private readonly ITimer? _renewal;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicConnectionSelector, HashSet<Member>> _index = [];

    internal TopicConnections(TopicHub hub)
    {
        _hub = hub;
        _cluster = hub.Engine.Cluster;
        _isAlone = _cluster is InProcessTopicCluster;
        _cluster.OnCommand(ExecuteAsync);
        if (_isAlone)
            return;
        var interval = hub.Options.PresenceLifetime / 3;
        _renewal = hub.Options.TimeProvider.CreateTimer(static connections => _ = ((TopicConnections)connections!).RenewAsync(), this, interval, interval);
    }

    /// <summary>Registers a connection of this node. Its subscriptions count to it by <see cref="TopicSubscribeOptions.ConnectionId"/>.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Disposing it takes the connection out again.</returns>
    /// <exception cref="ArgumentException">The id is taken on this node.</exception>
    public async ValueTask<IAsyncDisposable> AddAsync(ITopicConnection connection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Member member;
        lock (_lock)
        {
            member = GetMember(connection.Id, connection.UserId);
            if (member.Connection is not null)
                throw new ArgumentException("A connection with this id is registered already.", nameof(connection));
            member.Connection = connection;
            member.UserId = connection.UserId;
            if (member.UserId is not null)
                Index(TopicConnectionSelector.ByUser(member.UserId), member);
        }

        try
        {
            await TellAsync(member, null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The caller has nothing to dispose: it would stay, and be renewed, for ever.
            await RemoveAsync(member).ConfigureAwait(false);
            throw;
        }

        return new Registration(this, member);
    }

    /// <summary>Registers a WebSocket of this node, which an application serves itself.</summary>
    /// <param name="connection">The connection, which stays the caller's.</param>
    /// <param name="userId">Who it belongs to; <see langword="null"/> where nobody signed in.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Its place in the registry: its id for subscriptions. Disposing it takes the connection out again, and leaves it open.</returns>
    public ValueTask<WebSocketTopicConnection> AddAsync(WebSocketConnection connection, string? userId = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new WebSocketTopicConnection(connection, userId).RegisterAsync(this, cancellationToken);
    }

    /// <summary>Finds a connection of this node.</summary>
    /// <param name="connectionId">Its id.</param>
    /// <returns>The connection; <see langword="null"/> where this node has none with the id.</returns>
    public ITopicConnection? Find(string connectionId)
    {
        ArgumentNullException.ThrowIfNull(connectionId);
        lock (_lock)
            return _members.GetValueOrDefault(connectionId)?.Connection;
    }

    /// <summary>Lists connections of all nodes.</summary>
    /// <param name="connections">Which.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public async ValueTask<IReadOnlyList<TopicConnectionInfo>> ListAsync(TopicConnectionSelector connections, CancellationToken cancellationToken = default)
    {
        var list = new List<TopicConnectionInfo>();
        if (_isAlone)
        {
            foreach (var member in FindLocal(connections))
                list.Add(new TopicConnectionInfo(member.Id, member.UserId, _cluster.NodeId));
            return list;
        }

        foreach (var entry in await _cluster.ListAsync(SetOf(connections), cancellationToken).ConfigureAwait(false))
        {
            var value = Encoding.UTF8.GetString(entry.Value.Span).Split('\n', 2);
            list.Add(new TopicConnectionInfo(entry.Member, value.Length > 1 ? value[1] : null, value[0]));
        }

        return list;
    }

    /// <summary>
    /// Sends a message to connections of all nodes. At most once, and not part of any topic: a client that is away does not get it later, and
    /// one that leaves more than <see cref="TopicsOptions.MaxQueuedBytesPerConnection"/> waiting on its node is disconnected.
    /// </summary>
    /// <param name="connections">Which.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="messageType">Text or binary.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when the nodes were told; not when the clients have it.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask SendAsync(
        TopicConnectionSelector connections, ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken = default) =>
        _cluster.SendAsync(new ConnectionCommand(false, connections, messageType, payload).Encode(), cancellationToken);

    /// <summary>Disconnects connections of all nodes. What each was sent before comes first, but for no longer than 5 s.</summary>
    /// <param name="connections">Which.</param>
    /// <param name="reason">What to tell the clients; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when the nodes were told.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask DisconnectAsync(TopicConnectionSelector connections, string? reason = null, CancellationToken cancellationToken = default)
    {
        var payload = reason is null ? [] : Encoding.UTF8.GetBytes(reason);
        return _cluster.SendAsync(new ConnectionCommand(true, connections, WebSocketMessageType.Text, payload).Encode(), cancellationToken);
    }

    internal void Dispose() => _renewal?.Dispose();

    private async ValueTask RemoveAsync(Member member)
    {
        lock (_lock)
        {
            if (member.Connection is null)
                return;
            member.Connection = null;
            member.Outbox = null;
            if (member.UserId is not null)
                Unindex(TopicConnectionSelector.ByUser(member.UserId), member);
            RemoveIfUnused(member);
        }

        await RetractAsync(TopicConnectionSelector.ById(member.Id), member).ConfigureAwait(false);
        if (member.UserId is not null)
            await RetractAsync(TopicConnectionSelector.ByUser(member.UserId), member).ConfigureAwait(false);
    }

    // Waits for no client: one that does not read must not hold up the commands after this one, nor whoever has sent it.
    private ValueTask ExecuteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (ConnectionRequest.TryDecode(bytes, out var request))
            Execute(request);
        if (!ConnectionCommand.TryDecode(bytes, out var command))
            return default;
        foreach (var member in FindLocal(command.Selector))
        {
            ConnectionOutbox? outbox;
            lock (_lock)
                outbox = member.Connection is null ? null : member.Outbox ??= new ConnectionOutbox(member.Connection, _hub);
            outbox?.Add(command);
        }

        return default;
    }

    // Under the lock. By its id: a client may have come back under the same one.
    private bool IsListed(TopicConnectionSelector selector, string id)
    {
        if (!_members.TryGetValue(id, out var member))
            return false;
        return selector == TopicConnectionSelector.ById(id)
            ? member.Connection is not null
            : _index.TryGetValue(selector, out var members) && members.Contains(member);
    }

    private List<Member> FindLocal(TopicConnectionSelector selector)
    {
        lock (_lock)
        {
            if (selector.Value is null)
                return [];
            if (selector == TopicConnectionSelector.ById(selector.Value))
                return _members.GetValueOrDefault(selector.Value) is { Connection: not null } member ? [member] : [];
            return _index.TryGetValue(selector, out var members) ? [.. members] : [];
        }
    }

    private Member GetMember(string id, string? userId)
    {
        if (!_members.TryGetValue(id, out var member))
            _members.Add(id, member = new Member(id, userId));
        return member;
    }

    private void Index(TopicConnectionSelector selector, Member member)
    {
        if (!_index.TryGetValue(selector, out var members))
            _index.Add(selector, members = []);
        members.Add(member);
    }

    private void Unindex(TopicConnectionSelector selector, Member member)
    {
        if (_index.TryGetValue(selector, out var members) && members.Remove(member) && members.Count == 0)
            _index.Remove(selector);
    }

    private void RemoveIfUnused(Member member)
    {
        if (member.Connection is null && member.Topics.Count == 0)
            _members.Remove(member.Id);
    }

    private sealed class Member(string id, string? userId)
    {
        public string Id => id;

        public string? UserId { get; set; } = userId;

        public ITopicConnection? Connection { get; set; }

        // Made when something is sent to the connection first.
        public ConnectionOutbox? Outbox { get; set; }

        // Few: a topic stands here once for each subscription of the connection.
        public List<string> Topics { get; } = new(1);
    }

    private sealed class Registration(TopicConnections connections, Member member) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => connections.RemoveAsync(member);
    }
}
