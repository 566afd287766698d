namespace RealtimeKit.ServerSentEvents;

/// <summary>Where a <see cref="ServerSentEventClient"/> stands. The standard's <c>CONNECTING</c> is both Connecting and Waiting.</summary>
public enum ServerSentEventClientState
{
    /// <summary>Nobody has begun to read, or reading has ended.</summary>
    Closed,

    /// <summary>A request is under way.</summary>
    Connecting,

    /// <summary>The server has answered with an event stream.</summary>
    Open,

    /// <summary>The connection has ended, and the next one waits for its time.</summary>
    Waiting,
}
