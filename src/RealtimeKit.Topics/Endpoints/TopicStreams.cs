using System.Security.Claims;
using System.Text.Json;

namespace RealtimeKit.Topics;

/// <summary>Changes event streams on whichever node they are.</summary>
internal static class TopicStreams
{
    /// <summary>The largest change that a client may post, in bytes.</summary>
    public const int MaxChangeSize = 64 * 1024;

    /// <summary>What a client is told about a key that is none, or whose stream is gone: which of them, it need not know.</summary>
    public const string NotFound = "There is no such stream (any more).";

    /// <summary>Reads what a client has posted.</summary>
    /// <exception cref="TopicRefusedException">It is not what it should be.</exception>
    public static TopicStreamChange Read(ReadOnlySpan<byte> json)
    {
        TopicStreamChange? change = null;
        try
        {
            change = JsonSerializer.Deserialize(json, TopicStreamJson.Default.TopicStreamChange);
        }
        catch (JsonException)
        {
        }

        if (change?.Stream is null)
            throw new TopicRefusedException(400, """Post {"stream": KEY, "subscribe": [TOPIC, …], "unsubscribe": [TOPIC, …], "after": CURSOR, "refresh": true}, of which all but the key may be left out.""");
        foreach (var topic in (change.Subscribe ?? []).Concat(change.Unsubscribe ?? []))
            TopicRequestReader.ThrowIfInvalid(topic);
        return change;
    }

    /// <summary>Changes a stream.</summary>
    /// <param name="hub">The topics.</param>
    /// <param name="change">The change.</param>
    /// <param name="userId">Who asks for it: it must be whose stream it is.</param>
    /// <param name="user">The same, with the claims of the authentication by which the stream may be refreshed.</param>
    /// <param name="expires">When that expires.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The stream's topics afterwards.</returns>
    /// <exception cref="TopicRefusedException">It was refused, and nothing changed.</exception>
    public static async ValueTask<IReadOnlyList<string>> ChangeAsync(
        TopicHub hub, TopicStreamChange change, string? userId, ClaimsPrincipal user, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        if (!TopicStreamKey.TryParse(change.Stream, out var key))
            throw new TopicRefusedException(404, NotFound);
        var isRefresh = change.Refresh == true;
        var request = JsonSerializer.SerializeToUtf8Bytes(
            new TopicStreamRequest(userId, change, isRefresh ? PrincipalRecord.Of(user) : null, isRefresh ? expires : null), TopicStreamJson.Default.TopicStreamRequest);
        var answer = await hub.Connections.RequestAsync(key.ConnectionId, request, cancellationToken).ConfigureAwait(false)
            ?? throw new TopicRefusedException(404, NotFound);
        var reply = JsonSerializer.Deserialize(answer.Span, TopicStreamJson.Default.TopicStreamReply)!;
        return reply.Topics ?? throw new TopicRefusedException(reply.Status, reply.Reason ?? NotFound);
    }
}
