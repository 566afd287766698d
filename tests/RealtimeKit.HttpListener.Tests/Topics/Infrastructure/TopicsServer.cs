using System.Security.Claims;
using RealtimeKit.Topics;

namespace RealtimeKit.Listener.Tests.Topics;

/// <summary>A server with topics at /live. The header X-User says who asks.</summary>
internal static class TopicsServer
{
    public static async Task<TestServerHost> StartAsync(
        Wire wire, Action<TopicsOptions>? topics = null, Action<HttpListenerTopicOptions>? endpoint = null, ITopicEngine? engine = null)
    {
        var settings = new TopicsOptions();
        topics?.Invoke(settings);
        var hub = new TopicHub(engine, settings);
        var options = new HttpListenerTopicOptions
        {
            ServerSentEvents = TestServerHost.WatchfulEvents,
            Authenticate = context => ValueTask.FromResult<ClaimsPrincipal?>(new ClaimsPrincipal(
                context.Request.Headers["X-User"] is { } name ? new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, name)], "test") : new ClaimsIdentity())),
        };
        endpoint?.Invoke(options);
        var server = await TestServerHost.StartAsync(wire, app => app.Router.MapTopics("/live", hub, options));
        server.Topics = hub;
        return server;
    }

    /// <summary>One whose buffers are small, so that a client that does not read is felt; those of its sockets are the system's.</summary>
    public static Task<TestServerHost> StartNarrowAsync(Action<TopicsOptions> topics, Action<HttpListenerTopicOptions> endpoint) =>
        StartAsync(Wire.Pipes, topics, endpoint);

    public static TopicHub Hub(this TestServerHost server) => server.Topics!;

    /// <summary>Lets everybody publish.</summary>
    public static void AllowPublish(TopicsOptions topics) => topics.Default.AuthorizePublish = static _ => ValueTask.FromResult(true);
}
