using Microsoft.Extensions.Logging;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

/// <summary>
/// Topics at one URL: a GET becomes a WebSocket, an event stream or a cursor, a POST changes a stream or publishes. Whatever is refused is
/// refused as a whole, before anything is sent.
/// </summary>
internal sealed partial class TopicEndpoint
{
    private readonly TopicHub _hub;
    private readonly TopicEndpointOptions _options;
    private readonly Dictionary<string, ITopicProtocol> _protocols;
    private readonly WebSocketEndpoint _webSockets;
    private readonly ServerSentEventEndpoint _streams;
    private readonly ILogger _logger;

    /// <summary>Creates an endpoint.</summary>
    /// <param name="hub">The topics.</param>
    /// <param name="options">The options, a copy of its own.</param>
    /// <param name="registry">Where its connections are listed for a drain.</param>
    /// <param name="metrics">Counts its event streams.</param>
    /// <param name="budget">The memory that they may hold with others; <see langword="null"/> for any.</param>
    /// <param name="loggers">The endpoint's logger, and those of its connections.</param>
    public TopicEndpoint(
        TopicHub hub,
        TopicEndpointOptions options,
        ConnectionRegistry? registry,
        ServerSentEventMetrics metrics,
        RealtimeMemoryBudget? budget,
        (ILogger Topics, ILogger WebSockets, ILogger ServerSentEvents) loggers)
    {
        _hub = hub;
        _options = options;
        _logger = loggers.Topics;

        var protocols = TopicProtocols.Create(hub, _options);
        _protocols = protocols.ToDictionary(static protocol => protocol.SubProtocol ?? "", StringComparer.Ordinal);
        _options.WebSockets.SubProtocols = [.. protocols.Select(static protocol => protocol.SubProtocol).OfType<string>()];
        _options.WebSockets.Accepting = OpenSessionAsync;
        _webSockets = new WebSocketEndpoint(_options.WebSockets, RunSessionAsync, registry, loggers.WebSockets);
        _streams = new ServerSentEventEndpoint(
            CreateStreamOptions(), static (_, context) => context.Find<TopicEventStream>() is { } stream ? stream.RunAsync : null,
            registry, metrics, budget, loggers.ServerSentEvents);
    }

    /// <summary>Serves a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="pathTopic">What stands in the path below the endpoint's own, decoded; <see langword="null"/> for the endpoint's own path.</param>
    public Task InvokeAsync(HostContext context, string? pathTopic)
    {
        var method = context.GetMethod();
        if (method == "POST")
            return pathTopic is not null || context.GetQueryValues(TopicRequestReader.TopicParameter).Count > 0
                ? PublishAsync(context, pathTopic ?? GetQuery(context, TopicRequestReader.TopicParameter))
                : ChangeStreamAsync(context);
        if (method == "OPTIONS")
            return AnswerPreflightAsync(context);

        // HTTP/2 WebSockets arrive as CONNECT (RFC 8441 §5).
        if (method == "CONNECT" || Says(context.Request.Headers["Upgrade"], "websocket"))
            return _webSockets.InvokeAsync(context);
        if (Accepts(context, "text/event-stream"))
            return _streams.InvokeAsync(context);
        return Accepts(context, "application/json") ? SendCursorAsync(context) : RefuseAsync(context, new TopicRefusedException(
            406, "Topics come over a WebSocket or as text/event-stream; their cursor as application/json."));
    }

    private static bool Accepts(HostContext context, string contentType) => Says(context.Request.Headers["Accept"], contentType);

    private static bool Says(string? header, string value) => header is not null && header.Contains(value, StringComparison.OrdinalIgnoreCase);

    /// <summary>What a GET asks for.</summary>
    /// <exception cref="TopicRefusedException">It is not what it should be.</exception>
    private async ValueTask<TopicRequest> ReadAsync(HostContext context, string? cursor, bool isResume)
    {
        var user = await context.AuthenticateAsync(_options).ConfigureAwait(false);
        var after = TopicRequestReader.ReadCursor(cursor ?? GetQuery(context, TopicRequestReader.AfterParameter));
        return new TopicRequest
        {
            User = user,
            UserId = _options.UserId(user),
            Topics = TopicRequestReader.ReadTopics(
                _options.Topics, _options.AllowNamedTopics ? context.GetQueryValues(TopicRequestReader.TopicParameter) : null, after, isResume),
            After = after,
            GetQuery = name => GetQuery(context, name),
            Host = context,
        };
    }

    private static string? GetQuery(HostContext context, string name) => context.GetQueryValues(name) is [var value] ? value : null;

    private async ValueTask<bool> OpenSessionAsync(HostContext context, string? subProtocol)
    {
        try
        {
            var request = await ReadAsync(context, GetQuery(context, LastEventId.Parameter), isResume: false).ConfigureAwait(false);
            if (!_protocols.TryGetValue(subProtocol ?? "", out var protocol))
                throw new InvalidOperationException("The subprotocol that Accept has chosen is none of the topics'.");
            context.Keep(await protocol.OpenAsync(request, ServerSentEventAcceptor.AbortedOf(context)).ConfigureAwait(false));
            return true;
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
            return false;
        }
    }

    private static Task RunSessionAsync(WebSocketConnection connection, HostContext context) => context.Find<ITopicSession>()!.RunAsync(connection);

    private async ValueTask<bool> OpenStreamAsync(ServerSentEventRequest request, HostContext context)
    {
        try
        {
            string? header = context.Request.Headers[LastEventId.Header];
            var asked = await ReadAsync(context, request.LastEventId, isResume: request.LastEventId is not null && header is not null).ConfigureAwait(false);
            var stream = new TopicEventStream(_hub, asked.UserId, _options.AllowNamedTopics);
            await stream.OpenAsync(asked, endAtGap: false, ServerSentEventAcceptor.AbortedOf(context)).ConfigureAwait(false);
            context.Keep(stream);
            if (context.FindSession() is { } session)
            {
                stream.Refresh = session.TryRefresh;
                session.Ending = () => stream.ExpireAsync();
            }

            return true;
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
            return false;
        }
    }

    private async Task SendCursorAsync(HostContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            var aborted = ServerSentEventAcceptor.AbortedOf(context);
            var request = await ReadAsync(context, null, isResume: false).ConfigureAwait(false);
            foreach (var topic in request.Topics)
            {
                if (!await _hub.AuthorizeAsync(request.User, topic, TopicAction.Subscribe, aborted).ConfigureAwait(false))
                    throw new TopicAccessDeniedException(topic, TopicAction.Subscribe);
            }

            var cursor = await _hub.GetCursorAsync(request.Topics, aborted).ConfigureAwait(false);
            context.Response.Headers["Cache-Control"] = "no-store";
            await context.SendJsonAsync(200, new TopicCursorAnswer(cursor.ToString()), TopicStreamJson.Default.TopicCursorAnswer).ConfigureAwait(false);
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
        }
    }

    private ServerSentEventEndpointOptions CreateStreamOptions()
    {
        var options = _options.ServerSentEvents;
        return new ServerSentEventEndpointOptions
        {
            Origins = _options.Origins,
            AllowCredentials = _options.AllowCredentials,
            Accept = options.Accept,
            Accepting = OpenStreamAsync,
            HeartbeatInterval = options.HeartbeatInterval,
            Writer = options.Writer,
            OpeningComment = options.OpeningComment,
            Retry = options.Retry,
            ShutdownSpread = options.ShutdownSpread,
            MaxAge = options.MaxAge,
            WriteTimeout = options.WriteTimeout,
            TimeProvider = options.TimeProvider,
        };
    }

    private Task RefuseAsync(HostContext context, TopicRefusedException refused)
    {
        Log.Refused(_logger, context.GetMethod(), refused.StatusCode, refused.Message);
        return context.RespondAsync(refused.StatusCode, refused.Message);
    }

    private static partial class Log
    {
        [LoggerMessage(RealtimeEventIds.TopicsRefused, LogLevel.Information, "Topics: {Method} refused with {StatusCode}: {Reason}", EventName = nameof(RealtimeEventIds.TopicsRefused))]
        public static partial void Refused(ILogger logger, string method, int statusCode, string reason);
    }
}
