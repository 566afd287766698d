using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Three matches that never end, as their topics tell them: every node reads the same.</summary>
internal sealed class League
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _isKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, Score> _scores = new()
    {
        ["scores/harbour-hill"] = new("scores/harbour-hill", "Harbour", "Hill", 0, 0, 0, 0, "Kick-off"),
        ["scores/mill-forest"] = new("scores/mill-forest", "Mill", "Forest", 0, 0, 0, 0, "Kick-off"),
        ["scores/river-castle"] = new("scores/river-castle", "River", "Castle", 0, 0, 0, 0, "Kick-off"),
    };

    private TopicCursor _cursor = TopicCursor.Empty;

    public static IReadOnlyList<string> Topics { get; } = ["scores/harbour-hill", "scores/mill-forest", "scores/river-castle"];

    /// <summary>Completes when everything was read that had been published when the node began.</summary>
    public Task IsKnown => _isKnown.Task;

    public Score this[string topic]
    {
        get
        {
            lock (_lock)
                return _scores[topic];
        }
    }

    /// <summary>The scores and the cursor that belong together.</summary>
    public Snapshot Snapshot()
    {
        lock (_lock)
            return new Snapshot(_cursor.ToString(), [.. _scores.Values]);
    }

    /// <summary>Takes what stands next in a topic.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="position">Up to where it was read.</param>
    /// <param name="score">What stands there; null where that has gone.</param>
    public void Read(string topic, TopicPosition position, Score? score)
    {
        lock (_lock)
        {
            _cursor = _cursor.With(topic, position);
            if (score is not null)
                _scores[topic] = score;
        }
    }

    /// <summary>Says that what was published before has been read.</summary>
    public void SetKnown() => _isKnown.TrySetResult();

    /// <summary>Whether the topics were read up to a cursor.</summary>
    public bool HasRead(TopicCursor cursor)
    {
        lock (_lock)
            return cursor.All(pair => _cursor.TryGetPosition(pair.Key, out var position) && position >= pair.Value);
    }
}
