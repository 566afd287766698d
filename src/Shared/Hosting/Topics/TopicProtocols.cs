using RealtimeKit.Topics;

namespace RealtimeKit;

/// <summary>What is spoken over the WebSockets of an endpoint for topics.</summary>
internal static class TopicProtocols
{
    /// <summary>The protocols of an endpoint; of several that a client offers, the first of the client's counts.</summary>
    public static IReadOnlyList<ITopicProtocol> Create(TopicHub hub, TopicEndpointOptions options)
    {
        var raw = new RawTopicProtocol(hub, options.PublishReceived);
        if (options.WebPubSub is not { } webPubSub)
            return [raw];
        var groups = options.AllowNamedTopics ? null : options.Topics;
        return [raw, new WebPubSubReliableProtocol(hub, webPubSub, groups), new WebPubSubProtocol(hub, webPubSub, groups)];
    }
}
