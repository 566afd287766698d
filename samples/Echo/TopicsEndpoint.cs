using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Echo;

/// <summary>
/// /topics?topic=T subscribes, by WebSocket or event stream; POST /topics/T publishes the body. A topic keeps its last 1,000 messages.
/// </summary>
internal static class TopicsEndpoint
{
    public static void Configure(TopicsOptions topics, EchoOptions options)
    {
        topics.MaxPayloadSize = options.MaxMessage;
        topics.Default.HistoryCount = 1000;
        topics.Default.HistoryBytes = long.MaxValue;
        topics.Default.HistoryAge = Timeout.InfiniteTimeSpan;

        // Whoever reaches this sample may publish. An application says who may.
        topics.Default.AuthorizePublish = static _ => ValueTask.FromResult(true);
    }

    public static void MapTopics(this IEndpointRouteBuilder endpoints, EchoOptions options) =>
        endpoints.MapTopics("/topics", topics =>
        {
            topics.Origins = OriginPolicy.Any;
            EchoEndpoint.SetLimits(topics.WebSockets, options);
        });
}
