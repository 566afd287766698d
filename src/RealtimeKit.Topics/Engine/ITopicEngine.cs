namespace RealtimeKit.Topics;

/// <summary>
/// Where topics are stored, and how they reach other nodes. The engine in process is the default; the contract is tested by
/// <c>TopicEngineConformance</c> in the repository, which every engine's tests derive from. All members are safe from any thread.
/// </summary>
/// <remarks>
/// <para>Each topic is a log: entries of one epoch have rising offsets, and every subscriber sees them in that order. When the engine
/// loses history or can no longer trust it, it begins a new epoch, greater than all before; it never numbers two entries the same.</para>
/// <para>It may be disposed more than once.</para>
/// </remarks>
public interface ITopicEngine : IAsyncDisposable
{
    /// <summary>Node to node: commands and entries that expire, for the connection registry and presence.</summary>
    ITopicCluster Cluster { get; }

    /// <summary>Stores and numbers one publication.</summary>
    /// <param name="publication">The publication. A valid topic name is the caller's business.</param>
    /// <param name="cancellationToken">Ends the wait; the publication may have been stored all the same.</param>
    /// <returns>
    /// The position, once stored ("acknowledged"). For a retry (same producer, a sequence that is not greater than its last) nothing is
    /// stored, and the position is that of the producer's last publication.
    /// </returns>
    /// <exception cref="TopicEngineException">Nothing, or nobody knows what, was stored: retry with a producer id and sequence.</exception>
    ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken);

    /// <summary>
    /// The log of a topic on this node, complete up to the newest entry at the time of the call and kept up to date from then on. Every
    /// attachment of a topic gets the same log; the last detachment lets go of it.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The log, to be given to <see cref="DetachAsync"/> once for each call.</returns>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken);

    /// <summary>Ends one attachment.</summary>
    /// <param name="log">What <see cref="AttachAsync"/> gave.</param>
    ValueTask DetachAsync(TopicLog log);

    /// <summary>
    /// A page of the entries after a position, for positions outside the node's window. What lies between the position and the first
    /// entry and is lost is told as the page's gap; a position of another epoch, or beyond the newest entry, is followed by such a gap up
    /// to the oldest entry held.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="after">The position.</param>
    /// <param name="maxCount">The most entries.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken);

    /// <summary>The newest position of a topic, for cursors. A topic that is not there yet begins its epoch.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken);
}
