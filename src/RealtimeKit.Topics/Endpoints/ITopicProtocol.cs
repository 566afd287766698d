namespace RealtimeKit.Topics;

/// <summary>
/// What is spoken over the WebSockets of an endpoint for topics: a subprotocol, or raw messages where the client offers none. An endpoint
/// chooses by what the client offers, in the client's order.
/// </summary>
internal interface ITopicProtocol
{
    /// <summary>The subprotocol's name; <see langword="null"/> for raw messages.</summary>
    string? SubProtocol { get; }

    /// <summary>
    /// Prepares a connection before its handshake is answered: what is subscribed to here misses nothing that is published once the client
    /// sees the connection open, and what is refused here is refused with a status.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancelled when the client has gone.</param>
    /// <returns>The session. The endpoint disposes it whether or not it came to be run.</returns>
    /// <exception cref="TopicRefusedException">The request is refused, with the status that it says.</exception>
    /// <exception cref="TopicAccessDeniedException">Refused with 403.</exception>
    /// <exception cref="TopicLimitException">Refused with 400.</exception>
    /// <exception cref="TopicEngineException">Refused with 503.</exception>
    ValueTask<ITopicSession> OpenAsync(TopicRequest request, CancellationToken cancellationToken);
}
