namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Who is there, as a careful application keeps it: publishing takes an array that does not change.</summary>
internal sealed class SubscriberList<T>
    where T : notnull
{
    private readonly HashSet<T> _members = [];
    private T[]? _snapshot;

    public int Count
    {
        get
        {
            lock (_members)
                return _members.Count;
        }
    }

    public T[] Snapshot()
    {
        lock (_members)
            return _snapshot ??= [.. _members];
    }

    public void Add(T member)
    {
        lock (_members)
        {
            _members.Add(member);
            _snapshot = null;
        }
    }

    public void Remove(T member)
    {
        lock (_members)
        {
            _members.Remove(member);
            _snapshot = null;
        }
    }
}
