using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeKit.Topics;

namespace RealtimeKit.AspNetCore;

internal sealed partial class TopicEndpoint
{
    private async Task PublishAsync(HttpContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            var topic = ReadTopic(context.Request);
            if (!(_options.AllowNamedTopics || _options.Topics.Contains(topic))
                || !await _hub.AuthorizeAsync(AnonymousUser.UserOf(context), topic, TopicAction.Publish, context.RequestAborted).ConfigureAwait(false))
                throw new TopicAccessDeniedException(topic, TopicAction.Publish);

            // Read only once it is clear that somebody wants it.
            var payload = await ReadBodyAsync(context, _hub.Options.MaxPayloadSize).ConfigureAwait(false);
            var position = await _hub.PublishAsync(topic, payload, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await context.Response.WriteAsJsonAsync(
                new TopicPublished(position.ToString()), TopicStreamJson.Default.TopicPublished, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
        }
    }

    private async Task ChangeStreamAsync(HttpContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        try
        {
            // Besides, a page of another origin cannot send this type without being asked about first (Fetch §4.8).
            if (!context.Request.HasJsonContentType())
                throw new TopicRefusedException(StatusCodes.Status415UnsupportedMediaType, "A stream is changed with application/json; a topic to publish to is named in the path or as ?topic=NAME.");
            var body = await ReadBodyAsync(context, TopicStreams.MaxChangeSize).ConfigureAwait(false);
            var topics = await TopicStreams.ChangeAsync(_hub, TopicStreams.Read(body), _options.UserId(AnonymousUser.UserOf(context)), context.RequestAborted).ConfigureAwait(false);
            await context.Response.WriteAsJsonAsync(
                new TopicStreamTopics(topics), TopicStreamJson.Default.TopicStreamTopics, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            await RefuseAsync(context, refused).ConfigureAwait(false);
        }
    }

    // Fetch §4.8: what a page of another origin is told before its request is sent.
    private async Task AnswerPreflightAsync(HttpContext context)
    {
        if (!await CheckOriginAsync(context).ConfigureAwait(false))
            return;
        var headers = context.Response.Headers;
        if (headers.AccessControlAllowOrigin.Count > 0)
        {
            headers.AccessControlAllowMethods = "GET, POST";
            headers.AccessControlAllowHeaders = "content-type, last-event-id, cache-control";
            headers.AccessControlMaxAge = "600";
        }

        headers.Allow = "GET, POST, OPTIONS";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async ValueTask<bool> CheckOriginAsync(HttpContext context)
    {
        if (_options.Origins.IsAllowed(context.Request))
        {
            ServerSentEventAcceptor.AllowOrigin(context, _options.Origins, _options.AllowCredentials);
            return true;
        }

        OriginRefusal.Log(_logger, "Request for topics", context.Request, _options.Origins);
        await ServerSentEventAcceptor.RefuseAsync(context.Response, StatusCodes.Status403Forbidden, "Pages of this origin may not do this.").ConfigureAwait(false);
        return false;
    }

    private static string ReadTopic(HttpRequest request)
    {
        string? topic;
        if (request.RouteValues.TryGetValue(TopicRequestReader.TopicParameter, out var value))
        {
            // Servers decode paths all but the slash; names have slashes.
            topic = (value as string)?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            topic = RequestQuery.FindOne(request, TopicRequestReader.TopicParameter);
        }

        TopicRequestReader.ThrowIfInvalid(topic);
        return topic!;
    }

    /// <summary>Reads a body as it comes: what a client says of its length is believed only where it is too long.</summary>
    /// <exception cref="TopicRefusedException">It is too long, or broken.</exception>
    private static async ValueTask<byte[]> ReadBodyAsync(HttpContext context, int limit)
    {
        var tooLong = new TopicRefusedException(StatusCodes.Status413PayloadTooLarge, $"At most {limit} bytes.");
        if (context.Request.ContentLength > limit)
            throw tooLong;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = (6L * limit) + 65_536;   // counts chunks' frames too: six bytes for one, at worst
        var reader = context.Request.BodyReader;
        var body = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
                var isLong = body.WrittenCount + result.Buffer.Length > limit;
                if (!isLong && result.IsCompleted && body.WrittenCount == 0)
                {
                    var whole = result.Buffer.ToArray();
                    reader.AdvanceTo(result.Buffer.End);
                    return whole;
                }

                foreach (var part in result.Buffer)
                {
                    if (!isLong)
                        body.Write(part.Span);
                }

                reader.AdvanceTo(result.Buffer.End);
                if (isLong)
                    throw tooLong;
                if (result.IsCompleted)
                    return body.WrittenSpan.ToArray();
            }
        }
        catch (BadHttpRequestException error)
        {
            throw error.StatusCode == StatusCodes.Status413PayloadTooLarge ? tooLong : new TopicRefusedException(error.StatusCode, "The body is broken.");
        }
    }
}
