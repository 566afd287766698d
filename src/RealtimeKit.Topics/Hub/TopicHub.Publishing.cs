using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.Topics;

public sealed partial class TopicHub
{
    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, TopicPublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= TopicPublishOptions.Default;
        return PublishAsync(topic, payload, options.MessageType, options.IsJson, options, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync(
        string topic, string text, TopicPublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= TopicPublishOptions.Default;
        return PublishAsync(topic, Encoding.UTF8.GetBytes(text), options.MessageType ?? WebSocketMessageType.Text, options.IsJson, options, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<TopicPosition> PublishAsync<T>(
        string topic, T value, JsonTypeInfo<T> json, TopicPublishOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        options ??= TopicPublishOptions.Default;
        var payload = JsonSerializer.SerializeToUtf8Bytes(value, json);
        return PublishAsync(topic, payload, options.MessageType ?? WebSocketMessageType.Text, isJson: true, options, cancellationToken);
    }

    private ValueTask<TopicPosition> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, WebSocketMessageType? messageType, bool isJson, TopicPublishOptions options, CancellationToken cancellationToken)
    {
        TopicName.ThrowIfInvalid(topic, nameof(topic));
        if (payload.Length > Options.MaxPayloadSize)
            throw new ArgumentException($"A payload has at most {Options.MaxPayloadSize} bytes.", nameof(payload));
        if (messageType is not (null or WebSocketMessageType.Text or WebSocketMessageType.Binary))
            throw new ArgumentException("A message is text or binary.", nameof(options));
        if (options.EventType.AsSpan().ContainsAny('\r', '\n'))
            throw new ArgumentException("An event type must not contain CR or LF: they would end the field and begin another.", nameof(options));

        var publication = new TopicPublication(topic, payload)
        {
            MessageType = messageType,
            EventType = options.EventType,
            Key = options.Key,
            ProducerId = options.ProducerId,
            Sequence = options.Sequence,
            ExcludedConnection = options.ExcludedConnection,
            IsJson = isJson,
            UserId = options.UserId,
        };
        if (publication.Key is null && Options.Resolve(topic).ConflationKey is { } findKey)
            publication = publication with { Key = findKey(publication) };
        _metrics.OnPublished();
        return TopicMetrics.Activities.HasListeners()
            ? PublishTracedAsync(publication, cancellationToken)
            : Engine.PublishAsync(publication, cancellationToken);
    }

    private async ValueTask<TopicPosition> PublishTracedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        using var activity = TopicMetrics.Activities.StartActivity("publish", ActivityKind.Producer);
        activity?.SetTag("messaging.destination.name", publication.Topic);
        publication = publication with { Activity = activity?.Context ?? default };
        try
        {
            return await Engine.PublishAsync(publication, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (activity is not null)
        {
            TopicMetrics.TraceFailure(activity, error);
            throw;
        }
    }
}
