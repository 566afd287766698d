namespace RealtimeKit.Topics.Tests;

/// <summary>An engine in process that is a node of a cluster too, with a stage before what a test wants to hold or to fail.</summary>
internal sealed class StagedEngine(TopicsOptions options) : ITopicEngine, ITopicCluster
{
    private readonly InProcessTopicEngine _engine = new(options);
    private readonly InProcessTopicCluster _sets = new(options.TimeProvider);
    private Func<ReadOnlyMemory<byte>, ValueTask>? _handler;

    public ITopicCluster Cluster => this;

    public string NodeId => "node";

    /// <summary>How many members were removed.</summary>
    public int Removals { get; private set; }

    /// <summary>Runs before a topic is attached to.</summary>
    public Func<string, Task>? Attaching { get; set; }

    /// <summary>Runs before members are set.</summary>
    public Func<CancellationToken, Task>? Setting { get; set; }

    /// <summary>Runs before a page of a topic is read.</summary>
    public Func<string, Task>? Reading { get; set; }

    public ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken) => _engine.PublishAsync(publication, cancellationToken);

    public async ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken)
    {
        await (Attaching?.Invoke(topic) ?? Task.CompletedTask);
        return await _engine.AttachAsync(topic, cancellationToken);
    }

    public ValueTask DetachAsync(TopicLog log) => _engine.DetachAsync(log);

    public async ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken)
    {
        await (Reading?.Invoke(topic) ?? Task.CompletedTask);
        return await _engine.ReadAsync(topic, after, maxCount, cancellationToken);
    }

    public ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken) => _engine.GetPositionAsync(topic, cancellationToken);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    public ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken) => _handler!(command);

    public void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler) => _handler = handler;

    public async ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        await (Setting?.Invoke(cancellationToken) ?? Task.CompletedTask);
        await _sets.SetAsync(entries, lifetime, cancellationToken);
    }

    public async ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken)
    {
        var removed = await _sets.RemoveAsync(setName, member, cancellationToken);
        Removals++;
        return removed;
    }

    public ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken) => _sets.ListAsync(setName, cancellationToken);
}
