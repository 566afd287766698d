namespace RealtimeKit.Topics;

/// <summary>
/// What nodes tell each other beside the topics: commands to every node, and small sets whose members expire unless they are renewed, so
/// that a node which is gone leaves nothing behind. In process there is one node.
/// </summary>
public interface ITopicCluster
{
    /// <summary>This node; unguessable, and different after each start.</summary>
    string NodeId { get; }

    /// <summary>Sends a command to every node, this one included. At most once: a node that cannot be reached does not get it later.</summary>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken);

    /// <summary>Says who handles commands on this node; once, before anything is sent.</summary>
    /// <param name="handler">Called for each command, in any order and on any thread. What it throws is dropped.</param>
    void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler);

    /// <summary>Adds or renews members of sets.</summary>
    /// <param name="entries">The members.</param>
    /// <param name="lifetime">How long they stay unless renewed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Removes a member.</summary>
    /// <param name="setName">The set.</param>
    /// <param name="member">The member.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken);

    /// <summary>The members of a set that have not expired, of all nodes, in any order.</summary>
    /// <param name="setName">The set.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken);
}
