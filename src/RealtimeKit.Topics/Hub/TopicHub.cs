using System.Security.Claims;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RealtimeKit.Topics;

/// <summary>The topics of an application on this node: publishing, subscribing, cursors, connections and presence. Safe from any thread.</summary>
public sealed partial class TopicHub : ITopicPublisher, IAsyncDisposable
{
    /// <summary>Makes a hub, for those who use no dependency injection.</summary>
    /// <param name="engine">The engine, which becomes the hub's to dispose; in process where <see langword="null"/>.</param>
    /// <param name="options">The options; the defaults where <see langword="null"/>.</param>
    /// <param name="logger">Where failures go; nowhere where <see langword="null"/>.</param>
    public TopicHub(ITopicEngine? engine = null, TopicsOptions? options = null, ILogger<TopicHub>? logger = null) => throw new NotImplementedException();

    /// <summary>The options.</summary>
    public TopicsOptions Options => throw new NotImplementedException();

    /// <summary>The engine.</summary>
    public ITopicEngine Engine => throw new NotImplementedException();

    /// <summary>The open connections, of all nodes.</summary>
    public TopicConnections Connections => throw new NotImplementedException();

    /// <summary>Who is subscribed to topics with <see cref="TopicOptions.Presence"/>.</summary>
    public TopicPresence Presence => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, TopicPublishOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(
        string topic, string text, TopicPublishOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync<T>(
        string topic, T value, JsonTypeInfo<T> json, TopicPublishOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Whether a user may do something with a topic, by the topic's options: for endpoints, before they publish for a client.</summary>
    /// <param name="user">The user.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="action">What for. Subscribing asks by itself.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<bool> AuthorizeAsync(ClaimsPrincipal user, string topic, TopicAction action, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>
    /// The newest positions of topics: a page that is rendered now and subscribes after this cursor misses nothing in between.
    /// </summary>
    /// <param name="topics">The topics, up to <see cref="TopicsOptions.MaxTopicsPerSubscription"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The cursor; its <see cref="TopicCursor.ToString"/> is what goes into the page.</returns>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    /// <exception cref="TopicLimitException">There are too many topics for a cursor.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    public ValueTask<TopicCursor> GetCursorAsync(IEnumerable<string> topics, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Subscribes.</summary>
    /// <param name="subscriber">Where to deliver; it may be called before this returns.</param>
    /// <param name="topics">The topics. None is fine: they can be added later.</param>
    /// <param name="after">
    /// The position in each topic after which to deliver; topics that it does not have begin with what is published from now on. Topics
    /// that only it has are not subscribed to.
    /// </param>
    /// <param name="options">For whom, and how; for the application itself where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The subscription, to be disposed when the subscriber has gone.</returns>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    /// <exception cref="TopicAccessDeniedException">The user may not subscribe to one of the topics; then to none.</exception>
    /// <exception cref="TopicLimitException">There are too many topics.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached.</exception>
    /// <exception cref="InvalidOperationException">The hub is draining.</exception>
    public ValueTask<TopicSubscription> SubscribeAsync(
        ITopicSubscriber subscriber,
        IEnumerable<string> topics,
        TopicCursor? after = null,
        TopicSubscribeOptions? options = null,
        CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>
    /// Reads topics within the application: entries and gaps, in the order of each topic. A reader that is slow falls under the topic's
    /// policy as any other.
    /// </summary>
    /// <param name="topics">The topics.</param>
    /// <param name="after">As for <see cref="SubscribeAsync"/>.</param>
    /// <param name="options">For whom, and how; for the application itself where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends reading.</param>
    /// <returns>Subscribes when it is enumerated, and until then.</returns>
    public IAsyncEnumerable<TopicItem> ReadAllAsync(
        IEnumerable<string> topics, TopicCursor? after = null, TopicSubscribeOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>
    /// Ends all subscriptions as <see cref="TopicSubscriptionEnd.Draining"/>, spread evenly over a time, and refuses new ones: for a host
    /// that stops, so that its clients do not all come back at once.
    /// </summary>
    /// <param name="window">Over how long.</param>
    /// <param name="cancellationToken">Ends the rest at once.</param>
    public ValueTask DrainAsync(TimeSpan window, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Ends everything, the engine included.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
