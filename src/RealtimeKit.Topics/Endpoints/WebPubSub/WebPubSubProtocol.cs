namespace RealtimeKit.Topics;

/// <summary>
/// <c>json.webpubsub.azure.v1</c>, the published protocol of Azure Web PubSub, whose clients work against this one: a group is a topic, and a
/// connection ends with its socket.
/// </summary>
/// <param name="hub">The topics.</param>
/// <param name="options">The options, which do not change any more.</param>
/// <param name="groups">The only topics that clients may join and publish to; <see langword="null"/> where they name them.</param>
internal sealed class WebPubSubProtocol(TopicHub hub, WebPubSubOptions options, IReadOnlyList<string>? groups) : ITopicProtocol
{
    public string SubProtocol => "json.webpubsub.azure.v1";

    public async ValueTask<ITopicSession> OpenAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var client = new WebPubSubClient(hub, options, groups, request, session: null);
        await client.OpenAsync(request, endAtGap: true, cancellationToken).ConfigureAwait(false);
        return client;
    }
}
