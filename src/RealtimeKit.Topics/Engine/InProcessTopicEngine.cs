namespace RealtimeKit.Topics;

/// <summary>
/// Keeps topics in the memory of this process: the logs of the subscriptions are the store. History outlives subscribers, within its
/// bounds; a topic with neither vanishes after <see cref="TopicsOptions.IdleTopicLifetime"/>, and comes back in a new epoch.
/// </summary>
public sealed partial class InProcessTopicEngine : ITopicEngine
{
    /// <summary>Makes an engine.</summary>
    /// <param name="options">The options; the defaults where <see langword="null"/>.</param>
    public InProcessTopicEngine(TopicsOptions? options = null) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ITopicCluster Cluster => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DetachAsync(TopicLog log) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Lets go of everything.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
