namespace RealtimeKit.Topics;

/// <summary>A member of a set that all nodes see, see <see cref="ITopicCluster"/>.</summary>
/// <param name="Set">The set; up to 512 bytes as UTF-8.</param>
/// <param name="Member">The member's name in the set.</param>
/// <param name="Value">What stands under that name; small.</param>
public readonly record struct TopicClusterEntry(string Set, string Member, ReadOnlyMemory<byte> Value);
