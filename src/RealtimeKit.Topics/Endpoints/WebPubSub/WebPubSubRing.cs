namespace RealtimeKit.Topics;

/// <summary>
/// The messages of a connection that its client has not acknowledged: from number to place in a topic's log, where they are read again. It
/// grows as it is needed. Not safe for several threads.
/// </summary>
internal sealed class WebPubSubRing
{
    private const int InitialCapacity = 32;

    private (string Topic, TopicPosition Position)[] _places = [];
    private int _first;

    public int Count { get; private set; }

    /// <summary>The number that was given last; the first is 1.</summary>
    public ulong Last { get; private set; }

    /// <summary>The place of an unacknowledged message, the oldest at 0.</summary>
    public (string Topic, TopicPosition Position) this[int index] => _places[(_first + index) & (_places.Length - 1)];

    public ulong NumberOf(int index) => Last - (ulong)Count + (ulong)index + 1;

    /// <summary>Numbers a message.</summary>
    public ulong Add(string topic, TopicPosition position)
    {
        if (Count == _places.Length)
            Grow();
        _places[(_first + Count) & (_places.Length - 1)] = (topic, position);
        Count++;
        return ++Last;
    }

    /// <summary>
    /// Forgets the messages up to a number. One that was never given changes nothing: whoever has it wrong would lose messages when it
    /// recovers.
    /// </summary>
    public void Acknowledge(ulong number)
    {
        var before = Last - (ulong)Count;
        if (number <= before || number > Last)
            return;
        var count = (int)(number - before);
        _first = (_first + count) & (_places.Length - 1);
        Count -= count;
    }

    private void Grow()
    {
        var larger = new (string Topic, TopicPosition Position)[Math.Max(_places.Length * 2, InitialCapacity)];
        for (var i = 0; i < Count; i++)
            larger[i] = this[i];
        _places = larger;
        _first = 0;
    }
}
