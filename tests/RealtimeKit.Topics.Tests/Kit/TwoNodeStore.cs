namespace RealtimeKit.Topics.Tests;

/// <summary>One store in memory with an engine for each node: commands reach both, sets are common.</summary>
internal sealed class TwoNodeStore(TopicsOptions options) : IAsyncDisposable
{
    private readonly InProcessTopicEngine _engine = new(options);
    private readonly InProcessTopicCluster _sets = new(options.TimeProvider);
    private readonly List<Func<ReadOnlyMemory<byte>, ValueTask>> _handlers = [];

    public ITopicEngine CreateEngine() => new Node(this);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private sealed class Node(TwoNodeStore store) : ITopicEngine, ITopicCluster
    {
        public ITopicCluster Cluster => this;

        public string NodeId { get; } = Guid.NewGuid().ToString();

        public ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken) => store._engine.PublishAsync(publication, cancellationToken);

        public ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken) => store._engine.AttachAsync(topic, cancellationToken);

        public ValueTask DetachAsync(TopicLog log) => store._engine.DetachAsync(log);

        public ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken) =>
            store._engine.ReadAsync(topic, after, maxCount, cancellationToken);

        public ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken) => store._engine.GetPositionAsync(topic, cancellationToken);

        public ValueTask DisposeAsync() => default;

        public async ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
        {
            foreach (var handler in store._handlers)
                await handler(command);
        }

        public void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler) => store._handlers.Add(handler);

        public ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken) =>
            store._sets.SetAsync(entries, lifetime, cancellationToken);

        public ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken) =>
            store._sets.RemoveAsync(setName, member, cancellationToken);

        public ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken) =>
            store._sets.ListAsync(setName, cancellationToken);
    }
}
