using System.Security.Claims;

namespace RealtimeKit.Topics;

/// <summary>
/// A cursor into one or more topics, and where to deliver what stands after it. There is no queue: the subscription reads the topics'
/// logs, one batch at a time, and the next batch only when the one before it is flushed. Replay and live delivery are the same.
/// Disposing it ends it. All members are safe from any thread.
/// </summary>
public sealed partial class TopicSubscription : IAsyncDisposable
{
    /// <summary>The connection's id, which publications can exclude; <see langword="null"/> where it has none.</summary>
    public string? ConnectionId => throw new NotImplementedException();

    /// <summary>For whom the subscription is; <see langword="null"/> for the application itself.</summary>
    public ClaimsPrincipal? User => throw new NotImplementedException();

    /// <summary>The topics, in the order in which they were added; a copy.</summary>
    public IReadOnlyList<string> Topics => throw new NotImplementedException();

    /// <summary>The position in each topic after what was handed to the subscriber last.</summary>
    public TopicCursor Cursor => throw new NotImplementedException();

    /// <summary>Why the subscription has ended; <see langword="null"/> while it has not.</summary>
    public TopicSubscriptionEnd? End => throw new NotImplementedException();

    /// <summary>Adds a topic. Nothing happens where it is there already.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="after">After which position; <see langword="null"/> for what is published from now on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The position after which delivery begins.</returns>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    /// <exception cref="TopicAccessDeniedException">The user may not.</exception>
    /// <exception cref="TopicLimitException">The subscription has as many topics as it may have, or its cursor would be too long.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    /// <exception cref="InvalidOperationException">The subscription has ended.</exception>
    public ValueTask<TopicPosition> AddAsync(string topic, TopicPosition? after = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Removes a topic. What is being delivered still is.</summary>
    /// <param name="topic">The topic.</param>
    /// <returns>Whether it was there.</returns>
    public ValueTask<bool> RemoveAsync(string topic) => throw new NotImplementedException();

    /// <summary>
    /// The cursor after an item, as UTF-8: for subscribers, within <see cref="ITopicSubscriber.DeliverAsync"/>, for items of the batch in
    /// their order. Costs no more than copying the bytes where the subscription has one topic.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <returns>The text, valid until the next call.</returns>
    public ReadOnlySpan<byte> GetCursor(in TopicItem item) => throw new NotImplementedException();

    /// <summary>Ends the subscription. What is being delivered still is; nothing is afterwards. <see cref="ITopicSubscriber.OnEnded"/> is not called.</summary>
    /// <returns>Completes when the topics were let go of; it does not wait for the delivery.</returns>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
