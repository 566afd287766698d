namespace RealtimeKit.ServerSentEvents;

/// <summary>A change of a client's state.</summary>
public sealed class ServerSentEventClientStateChangedEventArgs : EventArgs
{
    internal ServerSentEventClientStateChangedEventArgs(ServerSentEventClientState state, Exception? error, TimeSpan? delay)
    {
        State = state;
        Error = error;
        Delay = delay;
    }

    /// <summary>The state that the client is in now.</summary>
    public ServerSentEventClientState State { get; }

    /// <summary>What ended the last connection; null where the server ended the stream, or nothing has ended.</summary>
    public Exception? Error { get; }

    /// <summary>How long the client waits before it connects again, where it is <see cref="ServerSentEventClientState.Waiting"/>.</summary>
    public TimeSpan? Delay { get; }
}
