using System.Net.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// The open connections of all nodes: finds, lists, sends to and disconnects them. What one node knows of another's connections is
/// renewed and expires (<see cref="TopicsOptions.PresenceLifetime"/>), so that a node which is gone leaves nothing behind.
/// </summary>
public sealed partial class TopicConnections
{
    internal TopicConnections(TopicHub hub) => throw new NotImplementedException();

    /// <summary>Registers a connection of this node. Its subscriptions count to it by <see cref="TopicSubscribeOptions.ConnectionId"/>.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Disposing it takes the connection out again.</returns>
    /// <exception cref="ArgumentException">The id is taken.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<IAsyncDisposable> AddAsync(ITopicConnection connection, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Finds a connection of this node.</summary>
    /// <param name="connectionId">Its id.</param>
    /// <returns>The connection; <see langword="null"/> where this node has none with the id.</returns>
    public ITopicConnection? Find(string connectionId) => throw new NotImplementedException();

    /// <summary>Lists connections of all nodes.</summary>
    /// <param name="connections">Which.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<IReadOnlyList<TopicConnectionInfo>> ListAsync(TopicConnectionSelector connections, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>
    /// Sends a message to connections of all nodes. At most once, and not part of any topic: a client that is away does not get it later.
    /// </summary>
    /// <param name="connections">Which.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="messageType">Text or binary.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when the nodes were told; not when the clients have it.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask SendAsync(
        TopicConnectionSelector connections, ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Disconnects connections of all nodes.</summary>
    /// <param name="connections">Which.</param>
    /// <param name="reason">What to tell the clients; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when the nodes were told.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask DisconnectAsync(TopicConnectionSelector connections, string? reason = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();
}
