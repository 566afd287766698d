namespace RealtimeKit;

/// <summary>What a connection is counted by, and until when its user is known to be who it is. Disposing it lets go of both; safe to repeat.</summary>
internal interface IConnectionSession : IDisposable
{
    /// <summary>Who it belongs to; <see langword="null"/> where nobody signed in.</summary>
    string? UserId { get; }

    /// <summary>What to tell the client before an event stream ends because its authentication has expired; never fails.</summary>
    Func<Task>? Ending { get; set; }

    /// <summary>From here on the connection is ended once its authentication has expired.</summary>
    void Start(IOpenConnection connection);
}
