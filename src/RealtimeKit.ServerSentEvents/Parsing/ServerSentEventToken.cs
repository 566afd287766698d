namespace RealtimeKit.ServerSentEvents;

/// <summary>What <see cref="ServerSentEventReader.Read"/> found. Names follow the WHATWG HTML standard, §9.2.6.</summary>
public enum ServerSentEventToken : byte
{
    /// <summary>Nothing has been read yet.</summary>
    None,

    /// <summary>The input holds no further complete line: read on when more bytes have arrived.</summary>
    NeedMoreData,

    /// <summary>A <c>data</c> field; its value is one line of the event's data.</summary>
    Data,

    /// <summary>An <c>event</c> field; its value is the event's type.</summary>
    EventType,

    /// <summary>An <c>id</c> field without U+0000; its value is the new last event id.</summary>
    Id,

    /// <summary>A <c>retry</c> field; its value is one or more ASCII digits, in milliseconds.</summary>
    Retry,

    /// <summary>A comment; its value is the text after the colon, without one leading space.</summary>
    Comment,

    /// <summary>A blank line: the fields read since the last one make an event.</summary>
    Dispatch,

    /// <summary>A line is longer than the limit. The reader stays at it.</summary>
    Invalid,
}
