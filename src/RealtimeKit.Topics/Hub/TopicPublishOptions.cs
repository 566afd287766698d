using System.Net.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>How to publish. Immutable: one instance may serve any number of publications.</summary>
public sealed class TopicPublishOptions
{
    internal static TopicPublishOptions Default { get; } = new();

    /// <summary>Text or binary; <see langword="null"/>, the default, for text where the payload is valid UTF-8 and binary where not.</summary>
    public WebSocketMessageType? MessageType { get; init; }

    /// <summary>The SSE event type. Default: the topic's name.</summary>
    public string? EventType { get; init; }

    /// <summary>What the entry is about, for topics that conflate. Default: what <see cref="TopicOptions.ConflationKey"/> finds.</summary>
    public string? Key { get; init; }

    /// <summary>Who publishes, for idempotence; see <see cref="TopicPublication.Sequence"/>. Default: none.</summary>
    public string? ProducerId { get; init; }

    /// <summary>The producer's number of this publication; see <see cref="TopicPublication.Sequence"/>.</summary>
    public ulong Sequence { get; init; }

    /// <summary>The id of the connection that shall not get it back. Default: none.</summary>
    public string? ExcludedConnection { get; init; }

    /// <summary>
    /// Whether the payload is one JSON value: Web PubSub clients get it as such, and as text where it is none after all. Default:
    /// <see langword="false"/>, other than for values that are published with their <c>JsonTypeInfo</c>.
    /// </summary>
    public bool IsJson { get; init; }

    /// <summary>Who publishes, as Web PubSub clients are told (<c>fromUserId</c>). Default: nobody is named.</summary>
    public string? UserId { get; init; }
}
