using System.Collections;

namespace RealtimeKit.Topics;

/// <summary>
/// Positions in one or more topics: what a client has, and where it goes on. Its text form is opaque, safe in a URL, a header and an
/// event's id, and less than 4 KiB. It names positions and grants nothing: every topic is authorised again. Immutable.
/// </summary>
public sealed partial class TopicCursor : IReadOnlyList<KeyValuePair<string, TopicPosition>>
{
    /// <summary>The longest text form, in characters.</summary>
    public const int MaxLength = 4095;

    /// <summary>A cursor without topics.</summary>
    public static TopicCursor Empty { get; } = new();

    /// <summary>How many topics it has.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>A topic and its position, in the order in which they were added.</summary>
    /// <param name="index">From 0.</param>
    public KeyValuePair<string, TopicPosition> this[int index] => throw new NotImplementedException();

    /// <summary>Finds a topic's position.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="position">Its position.</param>
    /// <returns>Whether the cursor has the topic.</returns>
    public bool TryGetPosition(string topic, out TopicPosition position) => throw new NotImplementedException();

    /// <summary>The cursor with a topic's position added or replaced.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="position">Its position.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="TopicLimitException">The text form could become longer than <see cref="MaxLength"/>.</exception>
    public TopicCursor With(string topic, TopicPosition position) => throw new NotImplementedException();

    /// <summary>The cursor without a topic.</summary>
    /// <param name="topic">The topic.</param>
    public TopicCursor Without(string topic) => throw new NotImplementedException();

    /// <summary>The text form.</summary>
    public override string ToString() => throw new NotImplementedException();

    /// <summary>Reads the text form; takes only what <see cref="ToString"/> can have made. Never throws.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cursor">The cursor; <see cref="Empty"/> where it is none.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TopicCursor cursor) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, TopicPosition>> GetEnumerator() => throw new NotImplementedException();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static byte[] Encode(string topic, TopicPosition position) => throw new NotImplementedException();
}
