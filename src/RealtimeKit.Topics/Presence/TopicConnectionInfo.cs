namespace RealtimeKit.Topics;

/// <summary>A connection of some node.</summary>
/// <param name="ConnectionId">Its id.</param>
/// <param name="UserId">Who it belongs to; <see langword="null"/> where nobody signed in.</param>
/// <param name="NodeId">The node that holds it.</param>
public readonly record struct TopicConnectionInfo(string ConnectionId, string? UserId, string NodeId);
