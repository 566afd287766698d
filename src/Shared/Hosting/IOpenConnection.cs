namespace RealtimeKit;

/// <summary>A WebSocket or an event stream that outlives requests: what a <see cref="ConnectionRegistry"/> lists. The links belong to it.</summary>
internal interface IOpenConnection
{
    IOpenConnection? NextOpen { get; set; }

    IOpenConnection? PreviousOpen { get; set; }

    /// <summary>Tells the peer that the server goes away, and ends the connection in order.</summary>
    /// <returns>Completes when that is done, or at the deadline; never fails.</returns>
    Task GoAwayAsync(CancellationToken deadline);

    /// <summary>Ends the connection in order, because its authentication has expired. Neither blocks nor fails.</summary>
    void Expire();

    /// <summary>Ends the connection at once.</summary>
    void Abort();
}
