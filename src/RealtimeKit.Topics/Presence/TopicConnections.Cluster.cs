using System.Text;

namespace RealtimeKit.Topics;

// What the other nodes are told of this one's connections: set, renewed, and retracted.
public sealed partial class TopicConnections
{
    private static string SetOf(TopicConnectionSelector selector) => $"{selector.Kind}:{selector.Value}";

    // What fails here is made good by the next renewal.
    private async ValueTask TellAsync(Member member, string? topic, CancellationToken cancellationToken)
    {
        if (_isAlone)
            return;
        var entries = new List<Entry>();
        lock (_lock)
            AddEntries(member, topic, entries);
        await SetAsync(entries, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SetAsync(List<Entry> entries, CancellationToken cancellationToken)
    {
        if (entries.Count == 0)
            return;
        try
        {
            var values = entries.ConvertAll(static entry => new TopicClusterEntry(SetOf(entry.Selector), entry.Member.Id, entry.Value));
            await _cluster.SetAsync(values.ToArray(), _hub.Options.PresenceLifetime, cancellationToken).ConfigureAwait(false);
        }
        catch (TopicEngineException error)
        {
            _hub.LogPresenceFailed(error);
            return;
        }

        // Those that went meanwhile may have been retracted before they were set.
        lock (_lock)
            entries.RemoveAll(entry => IsListed(entry.Selector, entry.Member.Id));
        foreach (var entry in entries)
            await RetractAsync(entry.Selector, entry.Member).ConfigureAwait(false);
    }

    private async ValueTask RetractAsync(TopicConnectionSelector selector, Member member)
    {
        if (_isAlone)
            return;
        try
        {
            await _cluster.RemoveAsync(SetOf(selector), member.Id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TopicEngineException error)
        {
            _hub.LogPresenceFailed(error);
        }
    }

    private async Task RenewAsync()
    {
        var entries = new List<Entry>();
        lock (_lock)
        {
            foreach (var member in _members.Values)
            {
                AddEntries(member, null, entries);
                foreach (var topic in member.Topics)
                    AddEntries(member, topic, entries);
            }
        }

        await SetAsync(entries, CancellationToken.None).ConfigureAwait(false);
    }

    // Under the lock.
    private void AddEntries(Member member, string? topic, List<Entry> entries)
    {
        var value = Encoding.UTF8.GetBytes(member.UserId is null ? _cluster.NodeId : _cluster.NodeId + "\n" + member.UserId);
        if (topic is not null)
        {
            entries.Add(new Entry(TopicConnectionSelector.ByTopic(topic), member, value));
            return;
        }

        if (member.Connection is null)
            return;
        entries.Add(new Entry(TopicConnectionSelector.ById(member.Id), member, value));
        if (member.UserId is not null)
            entries.Add(new Entry(TopicConnectionSelector.ByUser(member.UserId), member, value));
    }

    /// <summary>What the other nodes are told of a member.</summary>
    private readonly record struct Entry(TopicConnectionSelector Selector, Member Member, byte[] Value);
}
