namespace RealtimeKit.Topics;

/// <summary>What a subscriber was not given, and is told about: a gap is never silent.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="From">The position up to which the subscriber has everything, or was told of what it has not.</param>
/// <param name="To">
/// The position after which delivery goes on: everything after <paramref name="From"/> up to and including this was skipped. Where the
/// epochs differ, nobody knows how much that was.
/// </param>
public readonly record struct TopicGap(string Topic, TopicPosition From, TopicPosition To);
