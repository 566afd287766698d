namespace RealtimeKit.Topics;

/// <summary>A connection that other nodes may ask something, on behalf of its client.</summary>
internal interface IRequestedConnection : ITopicConnection
{
    /// <summary>Answers a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<ReadOnlyMemory<byte>> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken);
}
