using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace RealtimeKit.Topics;

/// <summary>
/// Positions in one or more topics: what a client has, and where it goes on. Its text form is opaque, safe in a URL, a header and an
/// event's id, and less than 4 KiB. It names positions and grants nothing: every topic is authorised again. Immutable.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is a cursor that can be looked into, not a collection.")]
public sealed class TopicCursor : IReadOnlyList<KeyValuePair<string, TopicPosition>>
{
    /// <summary>The longest text form, in characters.</summary>
    public const int MaxLength = 4095;

    private readonly KeyValuePair<string, TopicPosition>[] _positions;
    private string? _text;

    internal TopicCursor(KeyValuePair<string, TopicPosition>[] positions) => _positions = positions;

    /// <summary>A cursor without topics.</summary>
    public static TopicCursor Empty { get; } = new([]);

    /// <summary>How many topics it has.</summary>
    public int Count => _positions.Length;

    /// <summary>A topic and its position, in the order in which they were added.</summary>
    /// <param name="index">From 0.</param>
    public KeyValuePair<string, TopicPosition> this[int index] => _positions[index];

    /// <summary>Finds a topic's position.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="position">Its position.</param>
    /// <returns>Whether the cursor has the topic.</returns>
    public bool TryGetPosition(string topic, out TopicPosition position)
    {
        var index = IndexOf(topic);
        position = index < 0 ? default : _positions[index].Value;
        return index >= 0;
    }

    /// <summary>The cursor with a topic's position added or replaced.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="position">Its position.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="TopicLimitException">The text form could become longer than <see cref="MaxLength"/>.</exception>
    public TopicCursor With(string topic, TopicPosition position)
    {
        TopicName.ThrowIfInvalid(topic, nameof(topic));
        var index = IndexOf(topic);
        if (index < 0)
            ThrowIfTooLong(_positions.Sum(static pair => CursorRecord.MaxLengthFor(pair.Key)) + CursorRecord.MaxLengthFor(topic));
        var positions = new KeyValuePair<string, TopicPosition>[index < 0 ? Count + 1 : Count];
        _positions.CopyTo(positions, 0);
        positions[index < 0 ? Count : index] = new(topic, position);
        return new TopicCursor(positions);
    }

    /// <summary>The cursor without a topic.</summary>
    /// <param name="topic">The topic.</param>
    public TopicCursor Without(string topic)
    {
        var index = IndexOf(topic);
        return index < 0 ? this : new TopicCursor([.. _positions.AsSpan(0, index), .. _positions.AsSpan(index + 1)]);
    }

    /// <summary>The text form.</summary>
    public override string ToString()
    {
        if (_text is not null)
            return _text;
        var buffer = new byte[1 + _positions.Sum(static pair => CursorRecord.MaxLengthFor(pair.Key))];
        buffer[0] = CursorRecord.Version;
        var length = 1;
        foreach (var (topic, position) in _positions)
            length += CursorRecord.Write(topic, position, buffer.AsSpan(length));
        return _text = Encoding.ASCII.GetString(buffer, 0, length);
    }

    /// <summary>Reads the text form; takes only what <see cref="ToString"/> can have made. Never throws.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cursor">The cursor; <see cref="Empty"/> where it is none.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TopicCursor cursor)
    {
        cursor = Empty;
        if (text.Length is 0 or > MaxLength || text[0] != CursorRecord.Version)
            return false;

        var positions = new List<KeyValuePair<string, TopicPosition>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var rest = text[1..];
        while (!rest.IsEmpty)
        {
            if (!CursorRecord.TryRead(ref rest, out var topic, out var position) || !names.Add(topic))
                return false;
            positions.Add(new(topic, position));
        }

        if (positions.Count > 0)
            cursor = new TopicCursor([.. positions]);
        return true;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, TopicPosition>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, TopicPosition>>)_positions).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The text form of a cursor with one topic.</summary>
    internal static byte[] Encode(string topic, TopicPosition position)
    {
        Span<byte> buffer = stackalloc byte[1 + CursorRecord.MaxLength];
        buffer[0] = CursorRecord.Version;
        var length = 1 + CursorRecord.Write(topic, position, buffer[1..]);
        return buffer[..length].ToArray();
    }

    /// <summary>Refuses a topic whose addition could make the text form too long, however far its position goes.</summary>
    /// <param name="maxLengthOfRecords">The sum of <see cref="CursorRecord.MaxLengthFor"/>.</param>
    internal static void ThrowIfTooLong(int maxLengthOfRecords)
    {
        if (1 + maxLengthOfRecords > MaxLength)
            throw new TopicLimitException($"A cursor has at most {MaxLength} characters: there are too many topics in one, or their names are too long.");
    }

    private int IndexOf(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        for (var i = 0; i < _positions.Length; i++)
        {
            if (_positions[i].Key == topic)
                return i;
        }

        return -1;
    }
}
