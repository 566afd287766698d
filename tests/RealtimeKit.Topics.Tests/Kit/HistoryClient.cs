namespace RealtimeKit.Topics.Tests;

/// <summary>
/// A client in a random history: it has a position in each topic, and everything that it sees or is told must begin exactly there.
/// </summary>
internal sealed class HistoryClient(string name)
{
    private readonly Dictionary<string, TopicPosition> _positions = [];

    public string Name => name;

    public int Seen { get; private set; }

    public int Gaps { get; private set; }

    public int Sessions { get; set; }

    public IEnumerable<KeyValuePair<string, TopicPosition>> Positions => _positions;

    public TopicCursor Cursor => _positions.Aggregate(TopicCursor.Empty, (cursor, pair) => cursor.With(pair.Key, pair.Value));

    public void Begin(string topic, TopicPosition position) => _positions.TryAdd(topic, position);

    /// <summary>An entry arrived; entries carry their own offset.</summary>
    public void See(string topic, ulong offset)
    {
        var position = _positions[topic];
        if (offset != position.Offset + 1)
            throw new InvalidOperationException($"{name}, session {Sessions}: {topic} was at {position} and got entry {offset}.");
        _positions[topic] = position with { Offset = offset };
        Seen++;
    }

    public void Miss(string topic, TopicPosition from, TopicPosition to)
    {
        var position = _positions[topic];
        if (from != position || to.Offset < from.Offset || to == from)
            throw new InvalidOperationException($"{name}, session {Sessions}: {topic} was at {position} and was told of a gap from {from} to {to}.");
        _positions[topic] = to;
        Gaps++;
    }

    /// <summary>The cursor that came with the last item names exactly what was seen.</summary>
    public void Check(TopicCursor cursor)
    {
        foreach (var (topic, position) in cursor)
        {
            if (_positions[topic] != position)
                throw new InvalidOperationException($"{name}, session {Sessions}: the cursor says {topic} {position}, seen is {_positions[topic]}.");
        }
    }

    public bool HasReached(IReadOnlyDictionary<string, ulong> ends) =>
        ends.Count > 0 && ends.All(end => _positions.TryGetValue(end.Key, out var position) && position.Offset >= end.Value);
}
