namespace RealtimeKit.Topics;

/// <summary>
/// A topic's newest entries on this node, bounded by count, bytes and age, and who waits for the next. An engine appends; subscriptions
/// read. All members are safe from any thread; no reader holds up an append for longer than it takes to copy references.
/// </summary>
public sealed partial class TopicLog
{
    /// <summary>Makes a log. For engines.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="start">The position after which entries will be appended.</param>
    /// <param name="timeProvider">The clock of <see cref="TopicOptions.HistoryAge"/>; the system's where <see langword="null"/>.</param>
    public TopicLog(string topic, TopicOptions options, TopicPosition start, TimeProvider? timeProvider = null) => throw new NotImplementedException();

    /// <summary>The topic.</summary>
    public string Topic => throw new NotImplementedException();

    /// <summary>What holds for the topic.</summary>
    public TopicOptions Options => throw new NotImplementedException();

    /// <summary>The position of the newest entry, held or not.</summary>
    public TopicPosition Position => throw new NotImplementedException();

    /// <summary>The position after which every entry up to <see cref="Position"/> is held.</summary>
    public TopicPosition Floor => throw new NotImplementedException();

    /// <summary>How many entries are held.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>What the entries cost: their payloads, and 256 bytes for each.</summary>
    public long Bytes => throw new NotImplementedException();

    /// <summary>Appends an entry, drops the oldest that no longer fit, and wakes the subscriptions that had caught up, on the pool.</summary>
    /// <param name="entry">The entry. Between it and <see cref="Position"/> nothing may be missing: see <see cref="Reset"/>.</param>
    /// <returns><see langword="false"/> where the log has it already: the entry's offset is not above <see cref="Position"/>.</returns>
    /// <exception cref="ArgumentException">The entry is of another topic or epoch.</exception>
    public bool TryAppend(TopicEntry entry) => throw new NotImplementedException();

    /// <summary>
    /// Empties the log and goes on after another position: in a new epoch, or in the same one after entries that this node will never
    /// have. Subscriptions that are behind it, or in another epoch, ask the engine what they have missed.
    /// </summary>
    /// <param name="start">The position after which entries will be appended.</param>
    public void Reset(TopicPosition start) => throw new NotImplementedException();

    /// <summary>Drops entries that are too old. <see cref="TryAppend"/> does it too; this is for topics where nothing is published.</summary>
    public void Trim() => throw new NotImplementedException();

    /// <summary>Reads the entries after a position, oldest first.</summary>
    /// <param name="after">The position.</param>
    /// <param name="destination">Where to put them.</param>
    /// <param name="count">How many there were and fitted.</param>
    /// <returns>What was found.</returns>
    public TopicLogRead Read(TopicPosition after, Span<TopicEntry> destination, out int count) => throw new NotImplementedException();
}
