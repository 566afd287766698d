using RealtimeKit;
using RealtimeKit.Listener;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;

namespace System.Net;

public sealed partial class HttpListenerRouter
{
    /// <summary>Maps topics to a URL, with the default options.</summary>
    /// <inheritdoc cref="MapTopics(string, TopicHub, HttpListenerTopicOptions)"/>
    public HttpListenerRouter MapTopics(string path, TopicHub hub) => MapTopics(path, hub, new HttpListenerTopicOptions());

    /// <summary>
    /// Maps topics to a URL: <c>GET ?topic=a&amp;topic=b</c> subscribes, over a WebSocket or as an event stream, or gives their cursor
    /// (<c>Accept: application/json</c>); <c>POST</c> with JSON adds and removes topics of an event stream; <c>POST /{topic}</c> or
    /// <c>?topic=</c> publishes. Users may do what the options of each topic let them (<see cref="TopicOptions.AuthorizeSubscribe"/>,
    /// <see cref="TopicOptions.AuthorizePublish"/>): by default read everything, and publish nothing. A request that asks for
    /// one thing too many is refused as a whole.
    /// </summary>
    /// <param name="path">The path, with the listener's prefix in it; what is below it is for publishing.</param>
    /// <param name="hub">The topics, which stay the caller's to dispose once the router has stopped.</param>
    /// <param name="options">Origins, topics, limits; copied here.</param>
    /// <returns>The router.</returns>
    /// <exception cref="ArgumentException">The path is malformed or ends with a slash, or answers one of these requests already.</exception>
    /// <exception cref="InvalidOperationException">The router runs already.</exception>
    public HttpListenerRouter MapTopics(string path, TopicHub hub, HttpListenerTopicOptions options)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(hub);
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfSealed();
        if (path.EndsWith('/') || path.EndsWith('*'))
            throw new ArgumentException($"Write {path.TrimEnd('/', '*')}: what is below it belongs to its topics.", nameof(path));
        var endpoint = new TopicEndpoint(
            hub,
            options.Copy(options.WebSockets.Copy(_options)),
            _registry,
            ServerSentEventMetrics.For(_options.MeterFactory),
            _options.MemoryBudget,
            (_options.LoggerFactory.CreateLogger("RealtimeKit.HttpListener.Topics"), _logger, _logger));

        if (!_routes[path].TryAddWebSocket(SubscribeAsync))
            throw new ArgumentException($"{path} has a WebSocket already.", nameof(path));
        Add("GET", path, SubscribeAsync);
        var below = $"{path}/*";
        foreach (var method in (ReadOnlySpan<string>)["POST", "OPTIONS"])
        {
            Map(method, path, (context, _) => endpoint.InvokeAsync(context, pathTopic: null));
            Map(method, below, (context, _) => endpoint.InvokeAsync(context, context.GetPathTopic(path)));
        }

        return this;

        async Task SubscribeAsync(HttpListenerContext context, CancellationToken stopping)
        {
            try
            {
                await endpoint.InvokeAsync(context, pathTopic: null).ConfigureAwait(false);
            }
            finally
            {
                await context.ReleaseAsync().ConfigureAwait(false);
            }

            await context.CloseAsync().ConfigureAwait(false);
        }
    }
}
