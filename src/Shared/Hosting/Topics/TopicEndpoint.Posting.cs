using System.Globalization;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit;

internal sealed partial class TopicEndpoint
{
    private async Task PublishAsync(HostContext context, string? topic)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            var aborted = ServerSentEventAcceptor.AbortedOf(context);
            var user = await context.AuthenticateAsync(_options).ConfigureAwait(false);
            TopicRequestReader.ThrowIfInvalid(topic);
            if (!(_options.AllowNamedTopics || _options.Topics.Contains(topic!))
                || !await _hub.AuthorizeAsync(user, topic!, TopicAction.Publish, aborted).ConfigureAwait(false))
                throw new TopicAccessDeniedException(topic!, TopicAction.Publish);

            using var limiter = _options.WebSockets.RateLimits?.Open(context);
            Acquire(context, limiter, WebSocketRateLimitKind.Messages, 1);

            // Read only once it is clear that somebody wants it.
            var payload = await context.ReadBodyAsync(_hub.Options.MaxPayloadSize).ConfigureAwait(false);
            Acquire(context, limiter, WebSocketRateLimitKind.Bytes, payload.Length);
            var position = await _hub.PublishAsync(topic!, payload, cancellationToken: aborted).ConfigureAwait(false);
            await context.SendJsonAsync(202, new TopicPublished(position.ToString()), TopicStreamJson.Default.TopicPublished).ConfigureAwait(false);
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
        }
    }

    private async Task ChangeStreamAsync(HostContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            // Besides, a page of another origin cannot send this type without being asked about first (Fetch §4.8).
            if (!context.HasJson())
                throw new TopicRefusedException(415, "A stream is changed with application/json; a topic to publish to is named in the path or as ?topic=NAME.");
            var user = await context.AuthenticateAsync(_options).ConfigureAwait(false);
            using var limiter = _options.WebSockets.RateLimits?.Open(context);
            Acquire(context, limiter, WebSocketRateLimitKind.Messages, 1);
            var body = await context.ReadBodyAsync(TopicStreams.MaxChangeSize).ConfigureAwait(false);
            Acquire(context, limiter, WebSocketRateLimitKind.Bytes, body.Length);
            var change = TopicStreams.Read(body);
            var topics = await TopicStreams.ChangeAsync(_hub, change, _options.UserId(user), ServerSentEventAcceptor.AbortedOf(context)).ConfigureAwait(false);
            await context.SendJsonAsync(200, new TopicStreamTopics(topics), TopicStreamJson.Default.TopicStreamTopics).ConfigureAwait(false);
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
        }
    }

    // RFC 6585 §4: a post is not held back, it is told when to come again.
    private static void Acquire(HostContext context, RequestRateLimiter? limiter, WebSocketRateLimitKind kind, int count)
    {
        if (limiter is null || limiter.TryAcquireAll(kind, count, out var retryAfter))
            return;
        context.Response.Headers["Retry-After"] = Math.Max((long)Math.Ceiling(retryAfter.TotalSeconds), 1).ToString(CultureInfo.InvariantCulture);
        throw new TopicRefusedException(429, "You send too much: try again later.");
    }

    // Fetch §4.8: what a page of another origin is told before its request is sent.
    private async Task AnswerPreflightAsync(HostContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        var headers = context.Response.Headers;
        if (_options.Origins.GetSharing(context.Request) != OriginSharing.None)
        {
            headers["Access-Control-Allow-Methods"] = "GET, POST";
            headers["Access-Control-Allow-Headers"] = "content-type, last-event-id, cache-control";
            headers["Access-Control-Max-Age"] = "600";
        }

        headers["Allow"] = "GET, POST, OPTIONS";
        context.Response.StatusCode = 204;
    }

    private async ValueTask<bool> CheckOriginAsync(HostContext context)
    {
        if (_options.Origins.IsAllowed(context.Request))
        {
            ServerSentEventAcceptor.AllowOrigin(context, _options.Origins, _options.AllowCredentials);
            return true;
        }

        OriginRefusal.Log(_logger, "Request for topics", context.Request, _options.Origins);
        await context.RespondAsync(403, "Pages of this origin may not do this.").ConfigureAwait(false);
        return false;
    }
}
