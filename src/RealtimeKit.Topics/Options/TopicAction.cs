namespace RealtimeKit.Topics;

/// <summary>What a user wants to do with a topic.</summary>
public enum TopicAction
{
    /// <summary>Read it.</summary>
    Subscribe,

    /// <summary>Write to it.</summary>
    Publish,
}
