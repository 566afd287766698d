using System.Security.Claims;
using RealtimeKit.Topics;

#if HTTP_LISTENER
namespace System.Net;
#else
namespace RealtimeKit.AspNetCore;
#endif

/// <summary>
/// How an endpoint for topics behaves. What a user may subscribe and publish to is the topics' own (<see cref="TopicOptions"/>). Every value
/// has a safe default and is validated where it is set; an endpoint copies the options when it is mapped.
/// </summary>
#if HTTP_LISTENER
public sealed partial class HttpListenerTopicOptions
#else
public sealed class TopicEndpointOptions
#endif
{
    /// <summary>
    /// Which web pages may connect, change streams and publish. Default: those of the same origin. Others are refused with 403 before
    /// anything runs on their behalf; those that are listed get the CORS headers, and their preflight requests are answered.
    /// </summary>
    public OriginPolicy Origins { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = OriginPolicy.SameOrigin;

    /// <summary>
    /// Whether pages of the other origins that <see cref="Origins"/> lists may send cookies along (<c>withCredentials</c>). Default:
    /// <see langword="false"/>. Without effect under <see cref="OriginPolicy.Any"/>. A browser's WebSocket always sends them.
    /// </summary>
    public bool AllowCredentials { get; set; }

    /// <summary>The topics that every client of this endpoint gets. Default: none.</summary>
    /// <exception cref="ArgumentException">A name is not allowed, or stands twice.</exception>
    public IReadOnlyList<string> Topics
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            foreach (var topic in value)
            {
                if (topic is null || !TopicName.IsValid(topic))
                    throw new ArgumentException($"A topic's name has 1 to {TopicName.MaxLength} bytes as UTF-8 and no control characters.", nameof(value));
            }

            if (value.Distinct(StringComparer.Ordinal).Count() != value.Count)
                throw new ArgumentException("A topic stands twice.", nameof(value));
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// Whether clients name topics, in the query, in their cursors, to add to streams and to publish to. Default: <see langword="true"/>. Where
    /// it is not so, there are those of <see cref="Topics"/> and no others.
    /// </summary>
    public bool AllowNamedTopics { get; set; } = true;

    /// <summary>
    /// Whether what a client sends over a WebSocket without a subprotocol is published to its topic, where
    /// <see cref="TopicOptions.AuthorizePublish"/> lets it; it may then have one topic only. Default: <see langword="false"/>, it is ignored.
    /// </summary>
    public bool PublishReceived { get; set; }

    /// <summary>
    /// The subprotocols <c>json.webpubsub.azure.v1</c> and <c>json.reliable.webpubsub.azure.v1</c>, which clients of Azure Web PubSub speak.
    /// <see langword="null"/> turns them off. Default: they are on.
    /// </summary>
    public WebPubSubOptions? WebPubSub { get; set; } = new();

    /// <summary>
    /// Says who a user is, for <see cref="TopicConnections"/>. Default: the claim <see cref="ClaimTypes.NameIdentifier"/>, or else <c>sub</c>,
    /// or else the identity's name; <see langword="null"/> where nobody signed in.
    /// </summary>
    public Func<ClaimsPrincipal, string?> UserId { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = static user =>
        user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value ?? user.Identity?.Name;

    /// <summary>
    /// The limits, deadlines and compression of its WebSockets. Origins and subprotocols are this endpoint's to set: what stands there is
    /// ignored.
    /// </summary>
    public WebSocketEndpointOptions WebSockets { get; private set; } = new();

    /// <summary>
    /// The heartbeats, ages and deadlines of its event streams. Origins and credentials are those of this endpoint: what stands there is
    /// ignored.
    /// </summary>
    public ServerSentEventEndpointOptions ServerSentEvents { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = ServerSentEventEndpointOptions.Default;

    /// <summary>A copy for one endpoint.</summary>
    /// <param name="webSockets">A copy of <see cref="WebSockets"/>, which becomes the endpoint's.</param>
    internal TopicEndpointOptions Copy(WebSocketEndpointOptions webSockets)
    {
        var copy = (TopicEndpointOptions)MemberwiseClone();
        copy.WebSockets = webSockets;
        copy.WebSockets.Origins = Origins;
        copy.WebSockets.SubProtocols = [];
        copy.WebPubSub = WebPubSub?.Clone();
        return copy;
    }
}
