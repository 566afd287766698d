using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.Topics;

/// <summary>Publishes to topics, from anywhere in the application. Safe from any thread.</summary>
public interface ITopicPublisher
{
    /// <summary>Publishes a payload.</summary>
    /// <param name="topic">The topic; one that is not there begins with this.</param>
    /// <param name="payload">The payload, which is kept and not copied: do not change it afterwards.</param>
    /// <param name="options">Event type, key, idempotence; the defaults where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait; it may have been published all the same.</param>
    /// <returns>The entry's position, once it is stored.</returns>
    /// <exception cref="ArgumentException">The name is not allowed, the payload is too large, or the event type contains CR or LF.</exception>
    /// <exception cref="TopicEngineException">The store cannot be reached, or has no room.</exception>
    ValueTask<TopicPosition> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, TopicPublishOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Publishes a text.</summary>
    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, TopicPublishOptions, CancellationToken)"/>
    /// <param name="topic">The topic; one that is not there begins with this.</param>
    /// <param name="text">The text.</param>
    /// <param name="options">Event type, key, idempotence; the defaults where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait; it may have been published all the same.</param>
    ValueTask<TopicPosition> PublishAsync(
        string topic, string text, TopicPublishOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Publishes a value as JSON.</summary>
    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, TopicPublishOptions, CancellationToken)"/>
    /// <param name="topic">The topic; one that is not there begins with this.</param>
    /// <param name="value">The value.</param>
    /// <param name="json">How to write it.</param>
    /// <param name="options">Event type, key, idempotence; the defaults where <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait; it may have been published all the same.</param>
    ValueTask<TopicPosition> PublishAsync<T>(
        string topic, T value, JsonTypeInfo<T> json, TopicPublishOptions? options = null, CancellationToken cancellationToken = default);
}
