namespace RealtimeKit.Topics;

/// <summary>Who is subscribed to topics with <see cref="TopicOptions.Presence"/>, on all nodes. Subscriptions without a connection id do not count.</summary>
public sealed class TopicPresence
{
    private readonly TopicHub _hub;

    internal TopicPresence(TopicHub hub) => _hub = hub;

    /// <summary>
    /// The topic to which a topic's joins and leaves are published, as <c>{"event":"join","connection":…,"user":…}</c> and
    /// <c>"leave"</c>, without <c>user</c> where nobody signed in. Its name is the topic's after <c>presence/</c>; a topic whose name would
    /// become too long has none.
    /// </summary>
    /// <param name="topic">The topic.</param>
    public static string GetTopic(string topic) => "presence/" + topic;

    /// <summary>Lists who is subscribed to a topic.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<IReadOnlyList<TopicConnectionInfo>> ListAsync(string topic, CancellationToken cancellationToken = default) =>
        _hub.Connections.ListAsync(TopicConnectionSelector.ByTopic(topic), cancellationToken);
}
