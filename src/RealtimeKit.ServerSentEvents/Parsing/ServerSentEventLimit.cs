namespace RealtimeKit.ServerSentEvents;

/// <summary>The limit that a stream broke. The format itself knows no errors: every byte stream is a valid event stream.</summary>
public enum ServerSentEventLimit : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary><see cref="ServerSentEventParserOptions.MaxLineLength"/>.</summary>
    MaxLineLength,

    /// <summary><see cref="ServerSentEventParserOptions.MaxEventLength"/>.</summary>
    MaxEventLength,

    /// <summary><see cref="ServerSentEventParserOptions.MaxEventTypeLength"/>.</summary>
    MaxEventTypeLength,

    /// <summary><see cref="ServerSentEventParserOptions.MaxIdLength"/>.</summary>
    MaxIdLength,
}
