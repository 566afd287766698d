namespace RealtimeKit.Topics;

/// <summary>Who is subscribed to topics with <see cref="TopicOptions.Presence"/>, on all nodes. Subscriptions without a connection id do not count.</summary>
public sealed partial class TopicPresence
{
    internal TopicPresence(TopicHub hub) => throw new NotImplementedException();

    /// <summary>
    /// The topic to which a topic's joins and leaves are published, as <c>{"event":"join","connection":…,"user":…}</c> and
    /// <c>"leave"</c>. Its name is the topic's after <c>presence/</c>.
    /// </summary>
    /// <param name="topic">The topic.</param>
    public static string GetTopic(string topic) => "presence/" + topic;

    /// <summary>Lists who is subscribed to a topic.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<IReadOnlyList<TopicConnectionInfo>> ListAsync(string topic, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();
}
