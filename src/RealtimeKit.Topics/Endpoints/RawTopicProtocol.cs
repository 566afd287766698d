namespace RealtimeKit.Topics;

/// <summary>
/// WebSockets without a subprotocol: each entry is one message, as it is. The client cannot be told of a gap in this form, so that it is
/// closed with 4290 and the cursor instead; it comes back with <c>?after=CURSOR</c>, or without one for what is published from then on.
/// </summary>
/// <param name="hub">The topics.</param>
/// <param name="publishesReceived">Whether what a client sends is published to its topic.</param>
internal sealed class RawTopicProtocol(TopicHub hub, bool publishesReceived) : ITopicProtocol
{
    public string? SubProtocol => null;

    public async ValueTask<ITopicSession> OpenAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        if (request.Topics.Count == 0)
            throw new TopicRefusedException(400, "Name a topic: ?topic=NAME.");
        if (publishesReceived && request.Topics.Count > 1)
            throw new TopicRefusedException(400, "Name one topic: what you send is published to it.");
        var client = new RawTopicClient(hub, request, publishesReceived ? request.Topics[0] : null);
        await client.OpenAsync(request, endAtGap: true, cancellationToken).ConfigureAwait(false);
        return client;
    }
}
