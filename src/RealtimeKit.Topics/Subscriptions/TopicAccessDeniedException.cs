namespace RealtimeKit.Topics;

/// <summary>A user may not do with a topic what it asked for.</summary>
public sealed class TopicAccessDeniedException : UnauthorizedAccessException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="action">What was asked for.</param>
    public TopicAccessDeniedException(string topic, TopicAction action)
        : base(action == TopicAction.Publish ? "The user may not publish to this topic." : "The user may not subscribe to this topic.")
    {
        Topic = topic;
        Action = action;
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>What was asked for.</summary>
    public TopicAction Action { get; }
}
