namespace RealtimeKit.Topics;

/// <summary>
/// The text form of a cursor that moves: one topic's record is written anew, the others are left. For subscriptions with several topics;
/// not safe for several threads.
/// </summary>
internal sealed class CursorText
{
    private readonly List<Record> _records = [];
    private byte[] _text = new byte[256];
    private int _length = 1;

    public CursorText() => _text[0] = CursorRecord.Version;

    public ReadOnlySpan<byte> Text => _text.AsSpan(0, _length);

    /// <summary>Sets a topic's position; adds the topic where it is new.</summary>
    public void Set(string topic, TopicPosition position)
    {
        var index = IndexOf(topic);
        if (index < 0)
        {
            index = _records.Count;
            _records.Add(new Record(topic, default, _length, 0));
        }
        else if (_records[index].Position == position)
        {
            return;
        }

        Span<byte> written = stackalloc byte[CursorRecord.MaxLength];
        var length = CursorRecord.Write(topic, position, written);
        var record = _records[index];
        Resize(index, length - record.Length);
        written[..length].CopyTo(_text.AsSpan(record.Start));
        _records[index] = record with { Position = position, Length = length };
    }

    /// <summary>Takes a topic out; nothing happens where it is not there.</summary>
    public void Remove(string topic)
    {
        var index = IndexOf(topic);
        if (index < 0)
            return;
        Resize(index, -_records[index].Length);
        _records.RemoveAt(index);
    }

    // Positions pass 255, 65,535 and so on rarely: almost always the difference is 0.
    private void Resize(int index, int difference)
    {
        if (difference == 0)
            return;
        if (_length + difference > _text.Length)
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _length + difference));
        var end = _records[index].Start + _records[index].Length;
        _text.AsSpan(end, _length - end).CopyTo(_text.AsSpan(end + difference));
        _length += difference;
        for (var i = index + 1; i < _records.Count; i++)
            _records[i] = _records[i] with { Start = _records[i].Start + difference };
    }

    private int IndexOf(string topic)
    {
        for (var i = 0; i < _records.Count; i++)
        {
            if (ReferenceEquals(_records[i].Topic, topic) || _records[i].Topic == topic)
                return i;
        }

        return -1;
    }

    private readonly record struct Record(string Topic, TopicPosition Position, int Start, int Length);
}
