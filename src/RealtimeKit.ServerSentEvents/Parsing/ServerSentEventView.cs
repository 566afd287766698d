namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// An event as bytes of the input or of the assembler that gave it: valid until the assembler's next call, and while the input is.
/// </summary>
public readonly ref struct ServerSentEventView
{
    private readonly long _retry;

    internal ServerSentEventView(ServerSentEventItemKind kind, ReadOnlySpan<byte> data)
    {
        Kind = kind;
        Data = data;
        _retry = -1;
    }

    internal ServerSentEventView(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> eventType, ReadOnlySpan<byte> lastEventId, bool hasId, long retry)
    {
        Data = data;
        EventType = eventType;
        LastEventId = lastEventId;
        HasId = hasId;
        _retry = retry;
    }

    /// <summary>Whether this is an event, a comment or a retry field.</summary>
    public ServerSentEventItemKind Kind { get; }

    /// <summary>
    /// An event's data with its lines joined by LF, a comment's text, or a retry field's digits. UTF-8 as received: malformed sequences
    /// become U+FFFD where text is made of it.
    /// </summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>The event's type; <c>message</c> where the stream named none.</summary>
    public ReadOnlySpan<byte> EventType { get; }

    /// <summary>The last event id in force when the event was dispatched, whether or not this event set it; empty for none.</summary>
    public ReadOnlySpan<byte> LastEventId { get; }

    /// <summary>Whether this event carried an <c>id</c> field of its own.</summary>
    public bool HasId { get; }

    /// <summary>The reconnection time that this event carried.</summary>
    public TimeSpan? Retry => _retry < 0 ? null : ServerSentEventReader.ToTimeSpan(_retry);
}
