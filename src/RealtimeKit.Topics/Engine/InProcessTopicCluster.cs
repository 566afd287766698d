using System.Collections.Concurrent;

namespace RealtimeKit.Topics;

/// <summary>A cluster of one node, in memory.</summary>
internal sealed class InProcessTopicCluster(TimeProvider clock) : ITopicCluster
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, Member>> _sets = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();   // sets come and go with their members
    private Func<ReadOnlyMemory<byte>, ValueTask>? _handler;

    public string NodeId { get; } = Guid.NewGuid().ToString("N");

    public async ValueTask SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_handler is not { } handler)
            return;
        try
        {
            await handler(command).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // What a handler throws is its own business, here as with nodes that are far away.
        }
    }

    public void OnCommand(Func<ReadOnlyMemory<byte>, ValueTask> handler)
    {
        if (Interlocked.CompareExchange(ref _handler, handler, null) is not null)
            throw new InvalidOperationException("Commands are handled already.");
    }

    public ValueTask SetAsync(ReadOnlyMemory<TopicClusterEntry> entries, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var expires = clock.GetUtcNow() + lifetime;
        lock (_lock)
        {
            foreach (var entry in entries.Span)
                _sets.GetOrAdd(entry.Set, static _ => new(StringComparer.Ordinal))[entry.Member] = new Member(entry.Value, expires);
        }

        return default;
    }

    public ValueTask<bool> RemoveAsync(string setName, string member, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_sets.TryGetValue(setName, out var members) || !members.TryRemove(member, out var removed))
                return new ValueTask<bool>(false);
            if (members.IsEmpty)
                _sets.TryRemove(setName, out _);
            return new ValueTask<bool>(removed.Expires > clock.GetUtcNow());
        }
    }

    public ValueTask<IReadOnlyList<TopicClusterEntry>> ListAsync(string setName, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var entries = new List<TopicClusterEntry>();
        if (_sets.TryGetValue(setName, out var members))
        {
            var now = clock.GetUtcNow();
            foreach (var (name, member) in members)
            {
                if (member.Expires > now)
                    entries.Add(new TopicClusterEntry(setName, name, member.Value));
            }
        }

        return new ValueTask<IReadOnlyList<TopicClusterEntry>>(entries);
    }

    /// <summary>Drops what has expired.</summary>
    public void Sweep()
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            foreach (var (name, members) in _sets)
            {
                foreach (var (member, value) in members)
                {
                    if (value.Expires <= now)
                        members.TryRemove(member, out _);
                }

                if (members.IsEmpty)
                    _sets.TryRemove(name, out _);
            }
        }
    }

    private readonly record struct Member(ReadOnlyMemory<byte> Value, DateTimeOffset Expires);
}
