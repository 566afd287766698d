namespace RealtimeKit.Topics;

/// <summary>The <c>type</c> of a request.</summary>
internal enum WebPubSubRequestKind
{
    /// <summary>None, or none that is known.</summary>
    Unknown,

    /// <summary><c>joinGroup</c>.</summary>
    JoinGroup,

    /// <summary><c>leaveGroup</c>.</summary>
    LeaveGroup,

    /// <summary><c>sendToGroup</c>.</summary>
    SendToGroup,

    /// <summary><c>event</c>.</summary>
    Event,

    /// <summary><c>sequenceAck</c>.</summary>
    SequenceAck,

    /// <summary><c>ping</c>.</summary>
    Ping,

    /// <summary><c>invoke</c>, of newer clients: an event that wants a value back.</summary>
    Invoke,

    /// <summary><c>cancelInvocation</c>.</summary>
    CancelInvocation,
}
