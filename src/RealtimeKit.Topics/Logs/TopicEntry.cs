using System.Diagnostics;
using System.Net.WebSockets;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// One publication in a topic's log, shared by every subscriber on every transport. Immutable and garbage-collected: whoever still sends
/// it may hold it for as long as that takes. Its wire forms are made when they are first asked for, once.
/// </summary>
public sealed class TopicEntry
{
    private PreparedWebSocketMessage? _webSocketMessage;
    private PreparedServerSentEvent? _serverSentEvent;
    private PreparedWebSocketMessage? _webPubSubMessage;
    private byte[]? _ownCursor;

    /// <summary>Makes the entry of a publication that was stored. For engines.</summary>
    /// <param name="publication">The publication; its payload is not copied.</param>
    /// <param name="position">The number it was given.</param>
    /// <param name="publishedAt">When it was stored.</param>
    /// <exception cref="ArgumentException">The publication has no topic, or its event type contains CR or LF.</exception>
    public TopicEntry(in TopicPublication publication, TopicPosition position, DateTimeOffset publishedAt)
    {
        ArgumentException.ThrowIfNullOrEmpty(publication.Topic, nameof(publication));
        if (publication.EventType.AsSpan().ContainsAny('\r', '\n'))
            throw new ArgumentException("An event type must not contain CR or LF: they would end the field and begin another.", nameof(publication));
        Topic = publication.Topic;
        Position = position;
        Payload = publication.Payload;
        MessageType = publication.MessageType
            ?? (WebSocketUtf8Validator.IsValid(publication.Payload.Span) ? WebSocketMessageType.Text : WebSocketMessageType.Binary);
        EventType = publication.EventType;
        Key = publication.Key;
        ExcludedConnection = publication.ExcludedConnection;
        IsJson = publication.IsJson;
        UserId = publication.UserId;
        Activity = publication.Activity;
        PublishedAt = publishedAt;
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>Where the entry stands in the topic's log.</summary>
    public TopicPosition Position { get; }

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Text (the payload is valid UTF-8, or the publisher said so) or binary.</summary>
    public WebSocketMessageType MessageType { get; }

    /// <summary>The SSE event type that the publisher named; <see langword="null"/> where it is the topic's name.</summary>
    public string? EventType { get; }

    /// <summary>What the entry is about, for topics that conflate; <see langword="null"/> where it stands for itself.</summary>
    public string? Key { get; }

    /// <summary>The connection that does not get the entry (no echo); <see langword="null"/> where everybody does.</summary>
    public string? ExcludedConnection { get; }

    /// <summary>Whether the publisher said that the payload is JSON.</summary>
    public bool IsJson { get; }

    /// <summary>Who published; <see langword="null"/> where nobody is named.</summary>
    public string? UserId { get; }

    /// <summary>What the publishing was part of.</summary>
    public ActivityContext Activity { get; }

    /// <summary>When the entry was stored, by the clock of whoever stored it.</summary>
    public DateTimeOffset PublishedAt { get; }

    /// <summary>The entry as a WebSocket message, made once and shared.</summary>
    public PreparedWebSocketMessage WebSocketMessage =>
        Volatile.Read(ref _webSocketMessage) ?? Share(ref _webSocketMessage, new PreparedWebSocketMessage(Payload.Span, MessageType));

    /// <summary>
    /// The entry as a server-sent event, made once and shared: its type is <see cref="EventType"/> or else the topic, its data the
    /// payload. Each stream writes an <c>id</c> of its own before it.
    /// </summary>
    /// <remarks>Event streams are UTF-8: clients replace what is not, so binary payloads need a text form chosen by the publisher.</remarks>
    public PreparedServerSentEvent ServerSentEvent =>
        Volatile.Read(ref _serverSentEvent) ?? Share(ref _serverSentEvent, PreparedServerSentEvent.Create(Payload.Span, EventType ?? Topic));

    /// <summary>The entry as a message of <c>json.webpubsub.azure.v1</c>, made once and shared.</summary>
    internal PreparedWebSocketMessage WebPubSubMessage =>
        Volatile.Read(ref _webPubSubMessage) ?? Share(ref _webPubSubMessage, WebPubSubMessages.CreateGroupMessage(this));

    /// <summary>Whether a newer entry with the same key stands in the log: a subscriber that conflates skips this one.</summary>
    internal bool IsSuperseded { get; set; }

    /// <summary>What the entry costs a log, in bytes.</summary>
    internal long Cost => Payload.Length + 256L;

    /// <summary>The cursor of a stream that has this topic alone, up to this entry: the same for all such streams.</summary>
    internal ReadOnlySpan<byte> OwnCursor => Volatile.Read(ref _ownCursor) ?? Share(ref _ownCursor, TopicCursor.Encode(Topic, Position));

    private static T Share<T>(ref T? field, T made)
        where T : class => Interlocked.CompareExchange(ref field, made, null) ?? made;
}
