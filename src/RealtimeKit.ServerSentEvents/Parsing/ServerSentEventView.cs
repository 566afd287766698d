namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// An event as bytes of the input or of the assembler that gave it: valid until the assembler's next call, and while the input is.
/// </summary>
public ref struct ServerSentEventView
{
    internal ServerSentEventView(ServerSentEventItemKind kind, ReadOnlySpan<byte> data)
    {
        Kind = kind;
        Data = data;
        RetryMilliseconds = -1;
    }

    internal ServerSentEventView(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> eventType, ReadOnlySpan<byte> lastEventId, bool hasId, long retry)
    {
        Data = data;
        EventType = eventType;
        LastEventId = lastEventId;
        HasId = hasId;
        RetryMilliseconds = retry;
    }

    /// <summary>Whether this is an event, a comment or a retry field.</summary>
    public ServerSentEventItemKind Kind { readonly get; internal set; }

    /// <summary>
    /// An event's data with its lines joined by LF, a comment's text, or a retry field's digits. UTF-8 as received: malformed sequences
    /// become U+FFFD where text is made of it.
    /// </summary>
    public ReadOnlySpan<byte> Data { readonly get; internal set; }

    /// <summary>The event's type; <c>message</c> where the stream named none.</summary>
    public ReadOnlySpan<byte> EventType { readonly get; internal set; }

    /// <summary>The last event id in force when the event was dispatched, whether or not this event set it; empty for none.</summary>
    public ReadOnlySpan<byte> LastEventId { readonly get; internal set; }

    /// <summary>Whether this event carried an <c>id</c> field of its own.</summary>
    public bool HasId { readonly get; internal set; }

    /// <summary>The reconnection time that this event carried.</summary>
    public readonly TimeSpan? Retry => RetryMilliseconds < 0 ? null : ServerSentEventReader.ToTimeSpan(RetryMilliseconds);

    internal long RetryMilliseconds { readonly get; set; }
}
