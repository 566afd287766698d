using System.Diagnostics;
using System.Net.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>What is to be published: an engine stores and numbers it.</summary>
/// <param name="Topic">The topic; see <see cref="TopicName"/> for what a name may be.</param>
/// <param name="Payload">The payload. It is kept, not copied, by engines that hold entries in memory: do not change it.</param>
public readonly record struct TopicPublication(string Topic, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Text or binary; <see langword="null"/>, the default, for text where the payload is valid UTF-8 and binary where not.</summary>
    public WebSocketMessageType? MessageType { get; init; }

    /// <summary>The SSE event type; <see langword="null"/>, the default, for the topic's name.</summary>
    public string? EventType { get; init; }

    /// <summary>What the entry is about, for topics that conflate: of several unread entries with one key only the newest counts. Default: none.</summary>
    public string? Key { get; init; }

    /// <summary>Who publishes, for idempotence; together with <see cref="Sequence"/>. Default: none.</summary>
    public string? ProducerId { get; init; }

    /// <summary>
    /// The producer's number of this publication, 1 or more and rising. One that is not greater than the producer's last on this topic is
    /// a retry: nothing is stored again, and the position of what was stored is given. Ignored without <see cref="ProducerId"/>.
    /// </summary>
    public ulong Sequence { get; init; }

    /// <summary>The connection that shall not get it back (no echo). Default: none.</summary>
    public string? ExcludedConnection { get; init; }

    /// <summary>
    /// Whether the payload is one JSON value: Web PubSub clients get it as such, and as text where it is none after all. Default:
    /// <see langword="false"/>.
    /// </summary>
    public bool IsJson { get; init; }

    /// <summary>Who publishes, as Web PubSub clients are told (<c>fromUserId</c>). Default: nobody is named.</summary>
    public string? UserId { get; init; }

    /// <summary>What the publishing is part of, which deliveries link to.</summary>
    public ActivityContext Activity { get; init; }
}
