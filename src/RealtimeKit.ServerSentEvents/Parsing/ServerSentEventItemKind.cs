namespace RealtimeKit.ServerSentEvents;

/// <summary>What a <see cref="ServerSentEventView"/> shows.</summary>
public enum ServerSentEventItemKind : byte
{
    /// <summary>An event.</summary>
    Event,

    /// <summary>A comment, reported where <see cref="ServerSentEventParserOptions.IncludeComments"/> is set.</summary>
    Comment,

    /// <summary>A <c>retry</c> field, reported where <see cref="ServerSentEventParserOptions.IncludeRetries"/> is set.</summary>
    Retry,
}
