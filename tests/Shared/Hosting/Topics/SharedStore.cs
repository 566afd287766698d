using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

/// <summary>Nodes of one cluster in one process: they share the store, and tell each other commands as nodes over a network do.</summary>
internal sealed class SharedStore : IAsyncDisposable
{
    private readonly InProcessTopicEngine _engine = new();
    private readonly List<Node> _nodes = [];

    public ITopicEngine AddNode()
    {
        var node = new Node(this);
        _nodes.Add(node);
        return node;
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private sealed class Node(SharedStore store) : ITopicEngine, ITopicCluster
    {
        private Func<ReadOnlyMemory<byte>, ValueTask>? _handler;

        public ITopicCluster Cluster => this;

        public string NodeId { get; } = Guid.NewGuid().ToString("N");

        public ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken) =>
            store._engine.PublishAsync(publication, cancellationToken);

        public ValueTask<TopicLog> AttachAsync(string topic, CancellationToken cancellationToken) => store._engine.AttachAsync(topic, cancellationToken);

        public ValueTask DetachAsync(TopicLog log) => store._engine.DetachAsync(log);

        public ValueTask<TopicPage> ReadAsync(string topic, TopicPosition after, int maxCount, CancellationToken cancellationToken) =>
            store._engine.ReadAsync(topic, after, maxCount, cancellationToken);

        public ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken) =>
            store._engine.GetPositionAsync(topic, cancellationToken);

        public ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
        {
            var copy = command.ToArray();
            foreach (var node in store._nodes)
                ThreadPool.QueueUserWorkItem(async _ => await node._handler!(copy));
            return default;
        }

        public void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler) => _handler = handler;

        public ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken) =>
            store._engine.Cluster.SetAsync(entries, lifetime, cancellationToken);

        public ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken) =>
            store._engine.Cluster.RemoveAsync(setName, member, cancellationToken);

        public ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken) =>
            store._engine.Cluster.ListAsync(setName, cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
