using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore;

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

    public TopicEndpoint(TopicHub hub, TopicEndpointOptions options, IServiceProvider services)
    {
        var registry = HostConnections.For(services);
        var meters = services.GetService<IMeterFactory>();
        _hub = hub;
        _options = options.Copy(services);
        _logger = HostLoggers.Topics(services);

        var protocols = TopicProtocols.Create(hub, _options);
        _protocols = protocols.ToDictionary(static protocol => protocol.SubProtocol ?? "", StringComparer.Ordinal);
        _options.WebSockets.SubProtocols = [.. protocols.Select(static protocol => protocol.SubProtocol).OfType<string>()];
        _options.WebSockets.Accepting = OpenSessionAsync;
        _webSockets = new WebSocketEndpoint(_options.WebSockets, RunSessionAsync, registry, HostLoggers.WebSockets(services));
        _streams = new ServerSentEventEndpoint(
            CreateStreamOptions(), static (_, http) => http.Features.Get<TopicEventStream>() is { } stream ? stream.RunAsync : null,
            registry, ServerSentEventMetrics.For(meters), HostLoggers.ServerSentEvents(services));
    }

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsPost(request.Method))
            return request.RouteValues.ContainsKey(TopicRequestReader.TopicParameter) || request.Query.ContainsKey(TopicRequestReader.TopicParameter)
                ? PublishAsync(context)
                : ChangeStreamAsync(context);
        if (HttpMethods.IsOptions(request.Method))
            return AnswerPreflightAsync(context);

        // HTTP/2 WebSockets arrive as CONNECT (RFC 8441 §5).
        if (HttpMethods.IsConnect(request.Method) || IsUpgrade(request))
            return _webSockets.InvokeAsync(context);
        if (Accepts(request, "text/event-stream"))
            return _streams.InvokeAsync(context);
        return Accepts(request, "application/json") ? SendCursorAsync(context) : RefuseAsync(context, new TopicRefusedException(
            StatusCodes.Status406NotAcceptable, "Topics come over a WebSocket or as text/event-stream; their cursor as application/json."));
    }

    private static bool IsUpgrade(HttpRequest request)
    {
        foreach (var value in request.Headers.Upgrade)
        {
            if (value is not null && value.Contains("websocket", StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool Accepts(HttpRequest request, string contentType)
    {
        foreach (var value in request.Headers.Accept)
        {
            if (value is not null && value.Contains(contentType, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>What a GET asks for.</summary>
    /// <exception cref="TopicRefusedException">It is not what it should be.</exception>
    private TopicRequest Read(HttpContext context, string? cursor, bool isResume)
    {
        var request = context.Request;
        var after = TopicRequestReader.ReadCursor(cursor ?? RequestQuery.FindOne(request, TopicRequestReader.AfterParameter));
        var named = _options.AllowNamedTopics ? RequestQuery.Find(request, TopicRequestReader.TopicParameter) : null;
        var user = AnonymousUser.UserOf(context);
        return new TopicRequest
        {
            User = user,
            UserId = _options.UserId(user),
            Topics = TopicRequestReader.ReadTopics(_options.Topics, named, after, isResume),
            After = after,
            GetQuery = name => RequestQuery.FindOne(request, name),
            Host = context,
        };
    }

    private async ValueTask<bool> OpenSessionAsync(HttpContext context, string? subProtocol)
    {
        try
        {
            var request = Read(context, RequestQuery.FindOne(context.Request, ServerSentEventRequest.LastEventIdParameter), isResume: false);
            var session = await _protocols[subProtocol ?? ""].OpenAsync(request, context.RequestAborted).ConfigureAwait(false);
            context.Features.Set(session);
            context.Response.RegisterForDisposeAsync(session);
            return true;
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
            return false;
        }
    }

    private static Task RunSessionAsync(WebSocketConnection connection, HttpContext context) => context.Features.Get<ITopicSession>()!.RunAsync(connection);

    private async ValueTask<bool> OpenStreamAsync(ServerSentEventRequest request, HttpContext context)
    {
        if (_options.ServerSentEvents.Accept is { } accept && !await accept(request, context).ConfigureAwait(false))
            return false;
        try
        {
            var isResume = request.LastEventId is not null && context.Request.Headers.ContainsKey("Last-Event-ID");
            var asked = Read(context, request.LastEventId, isResume);
            var stream = new TopicEventStream(_hub, asked.UserId, _options.AllowNamedTopics);
            await stream.OpenAsync(asked, endAtGap: false, context.RequestAborted).ConfigureAwait(false);
            context.Features.Set(stream);
            context.Response.RegisterForDisposeAsync(stream);
            return true;
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
            return false;
        }
    }

    private async Task SendCursorAsync(HttpContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            var request = Read(context, null, isResume: false);
            foreach (var topic in request.Topics)
            {
                if (!await _hub.AuthorizeAsync(request.User, topic, TopicAction.Subscribe, context.RequestAborted).ConfigureAwait(false))
                    throw new TopicAccessDeniedException(topic, TopicAction.Subscribe);
            }

            var cursor = await _hub.GetCursorAsync(request.Topics, context.RequestAborted).ConfigureAwait(false);
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsJsonAsync(
                new TopicCursorAnswer(cursor.ToString()), TopicStreamJson.Default.TopicCursorAnswer, cancellationToken: context.RequestAborted).ConfigureAwait(false);
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
            Accept = OpenStreamAsync,
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

    private Task RefuseAsync(HttpContext context, TopicRefusedException refused)
    {
        Log.Refused(_logger, context.Request.Method, refused.StatusCode, refused.Message);
        return ServerSentEventAcceptor.RefuseAsync(context.Response, refused.StatusCode, refused.Message);
    }

    private static partial class Log
    {
        [LoggerMessage(40, LogLevel.Information, "Topics: {Method} refused with {StatusCode}: {Reason}", EventName = "Refused")]
        public static partial void Refused(ILogger logger, string method, int statusCode, string reason);
    }
}
