namespace RealtimeKit.ServerSentEvents;

/// <summary>A peer sent more than a limit of <see cref="ServerSentEventParserOptions"/> allows. The message holds nothing that the peer sent.</summary>
public sealed class ServerSentEventLimitException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="limit">The limit that was broken.</param>
    /// <param name="maximum">The limit's value, in bytes.</param>
    public ServerSentEventLimitException(ServerSentEventLimit limit, int maximum)
        : base($"The event stream exceeds {limit} ({maximum} bytes).")
    {
        Limit = limit;
        Maximum = maximum;
    }

    /// <summary>The limit that was broken.</summary>
    public ServerSentEventLimit Limit { get; }

    /// <summary>The limit's value, in bytes.</summary>
    public int Maximum { get; }
}
