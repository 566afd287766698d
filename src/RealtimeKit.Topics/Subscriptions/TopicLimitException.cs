namespace RealtimeKit.Topics;

/// <summary>A subscription asked for more than it may have; see <see cref="TopicsOptions.MaxTopicsPerSubscription"/> and <see cref="TopicCursor.MaxLength"/>.</summary>
public sealed class TopicLimitException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">Which limit.</param>
    public TopicLimitException(string message)
        : base(message)
    {
    }
}
