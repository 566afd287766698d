namespace RealtimeKit.Topics;

/// <summary>The numbers of the last requests that were carried out. Not safe for several threads.</summary>
internal sealed class AckIdWindow(int size)
{
    private readonly HashSet<ulong> _known = [];
    private readonly Queue<ulong> _order = new();

    public bool Contains(ulong ackId) => _known.Contains(ackId);

    public void Add(ulong ackId)
    {
        if (size == 0 || !_known.Add(ackId))
            return;
        _order.Enqueue(ackId);
        if (_order.Count > size)
            _known.Remove(_order.Dequeue());
    }
}
