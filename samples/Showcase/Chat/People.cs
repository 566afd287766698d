namespace RealtimeKit.Samples.Showcase;

/// <summary>Who is in the room: each name once.</summary>
internal sealed class People(int limit)
{
    private readonly Lock _lock = new();
    private readonly SortedSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
                return [.. _names];
        }
    }

    /// <summary>Lets somebody in, whose name is no longer than 24 characters and visible.</summary>
    public bool TryAdd(string? wanted, out string name)
    {
        name = string.Concat((wanted ?? "").Where(c => !char.IsControl(c))).Trim();
        if (name.Length is 0 or > 24)
            return false;
        lock (_lock)
            return _names.Count < limit && _names.Add(name);
    }

    public void Remove(string name)
    {
        lock (_lock)
            _names.Remove(name);
    }
}

/// <summary>What happens in the room.</summary>
/// <param name="Kind">joined, line or left.</param>
/// <param name="Name">Whose it is.</param>
/// <param name="Text">What was said.</param>
/// <param name="People">Who is there now, where that has changed.</param>
internal sealed record ChatEvent(string Kind, string Name, string Text, IReadOnlyList<string>? People)
{
    public DateTimeOffset At { get; init; } = DateTimeOffset.UtcNow;
}
