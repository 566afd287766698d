namespace RealtimeKit.WebSockets;

/// <summary>Messages to be sent next to each other; a struct, so that nothing is copied or boxed.</summary>
internal interface IPreparedMessages
{
    int Count { get; }

    /// <summary>A message; <see langword="null"/> where there is nothing to send in this place.</summary>
    PreparedWebSocketMessage? this[int index] { get; }
}
