namespace RealtimeKit.Topics;

/// <summary>What <see cref="TopicLog.Read"/> found.</summary>
public enum TopicLogRead
{
    /// <summary>The position is the newest: there is nothing to read yet.</summary>
    CaughtUp,

    /// <summary>There are entries after the position.</summary>
    Entries,

    /// <summary>
    /// The position is not in what the node holds: older, of another epoch, or newer than anything that has reached this node. The engine
    /// knows (<see cref="ITopicEngine.ReadAsync"/>).
    /// </summary>
    OutsideWindow,
}
