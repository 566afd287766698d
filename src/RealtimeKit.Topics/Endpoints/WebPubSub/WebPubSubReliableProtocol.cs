namespace RealtimeKit.Topics;

/// <summary>
/// <c>json.reliable.webpubsub.azure.v1</c>: the same with numbered messages, which the client acknowledges. A connection outlives its socket
/// for a while, and a client that comes back with its id and token is sent what it has not acknowledged, under the same numbers, and what
/// follows. It knows what it has by the numbers.
/// </summary>
/// <param name="hub">The topics.</param>
/// <param name="options">The options, which do not change any more.</param>
/// <param name="groups">The only topics that clients may join and publish to; <see langword="null"/> where they name them.</param>
internal sealed class WebPubSubReliableProtocol(TopicHub hub, WebPubSubOptions options, IReadOnlyList<string>? groups) : ITopicProtocol
{
    private const string ConnectionIdParameter = "awps_connection_id";
    private const string TokenParameter = "awps_reconnection_token";

    private readonly WebPubSubSessions _sessions = new(options, hub.Options.TimeProvider);

    public string SubProtocol => "json.reliable.webpubsub.azure.v1";

    public ValueTask<ITopicSession> OpenAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var connectionId = request.GetQuery(ConnectionIdParameter);
        var token = request.GetQuery(TokenParameter);
        return connectionId is null && token is null
            ? BeginAsync(request, cancellationToken)
            : RecoverAsync(request, connectionId, token, cancellationToken);
    }

    private async ValueTask<ITopicSession> BeginAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var session = _sessions.Create(request.UserId);
        var client = new WebPubSubClient(hub, options, groups, request, session);
        await session.TakeAsync(client, cancellationToken).ConfigureAwait(false);
        try
        {
            await client.OpenAsync(request, endAtGap: true, cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            session.End();   // its client never heard of it
            throw;
        }
    }

    // Refused with a status, the client would try again for half a minute: what can never succeed is told by a Close frame.
    private async ValueTask<ITopicSession> RecoverAsync(TopicRequest request, string? connectionId, string? token, CancellationToken cancellationToken)
    {
        var gone = new WebPubSubRefusal("The connection cannot be recovered. Connect anew.");
        if (_sessions.Find(connectionId, token, request.UserId) is not { } session)
            return gone;

        var client = new WebPubSubClient(hub, options, groups, request, session);
        if (!await session.TakeAsync(client, cancellationToken).ConfigureAwait(false))
            return gone;
        try
        {
            // The topics that it may no longer join are among the unacknowledged messages too.
            foreach (var topic in session.ListOnlyUnacknowledged())
                await hub.AuthorizeSubscribeAsync(request.User, topic, isResume: true, cancellationToken).ConfigureAwait(false);
            var resume = new TopicRequest
            {
                User = request.User,
                UserId = request.UserId,
                Topics = [.. session.Cursor.Select(static pair => pair.Key)],
                After = session.Cursor,
                GetQuery = request.GetQuery,
                Host = request.Host,
            };
            await client.OpenAsync(resume, endAtGap: true, cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch (TopicAccessDeniedException)
        {
            session.End();
            await client.DisposeAsync().ConfigureAwait(false);
            return new WebPubSubRefusal("You may not read all of your groups any more. Connect anew.");
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);   // and the connection can still be recovered
            throw;
        }
    }
}
