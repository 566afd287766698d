namespace RealtimeKit.Topics;

/// <summary>A page of a topic's log, as an engine reads it.</summary>
/// <param name="Entries">The entries, oldest first; empty where there are none after the position.</param>
/// <param name="Gap">
/// What is missing before the first entry: the log was trimmed past the position, or its epoch has changed. <see langword="null"/> where
/// nothing is. With no entries, reading goes on after the gap.
/// </param>
public readonly record struct TopicPage(ReadOnlyMemory<TopicEntry> Entries, TopicGap? Gap = null);
