namespace RealtimeKit.Topics;

/// <summary>Which connections: one, a user's, or those subscribed to a topic.</summary>
public readonly record struct TopicConnectionSelector
{
    private TopicConnectionSelector(char kind, string value)
    {
        Kind = kind;
        Value = value;
    }

    internal char Kind { get; }

    internal string Value { get; }

    /// <summary>The connection with an id.</summary>
    /// <param name="connectionId">The id.</param>
    public static TopicConnectionSelector ById(string connectionId) => new('c', connectionId ?? throw new ArgumentNullException(nameof(connectionId)));

    /// <summary>A user's connections.</summary>
    /// <param name="userId">The user's id.</param>
    public static TopicConnectionSelector ByUser(string userId) => new('u', userId ?? throw new ArgumentNullException(nameof(userId)));

    /// <summary>The connections that are subscribed to a topic.</summary>
    /// <param name="topic">The topic.</param>
    public static TopicConnectionSelector ByTopic(string topic) => new('t', topic ?? throw new ArgumentNullException(nameof(topic)));

    internal static bool TryCreate(char kind, string value, out TopicConnectionSelector selector)
    {
        selector = new TopicConnectionSelector(kind, value);
        return kind is 'c' or 'u' or 't';
    }
}
