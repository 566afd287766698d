using System.Net.WebSockets;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Topics;

/// <summary>
/// An event stream of topics. Its first event, of type <c>stream</c>, gives the client the key with which it adds and removes topics, and as
/// its id the cursor of all topics: a client that loses the stream right then comes back to where it began.
/// </summary>
/// <param name="hub">The topics.</param>
/// <param name="userId">Who the stream belongs to.</param>
/// <param name="takesTopics">Whether the client may add and remove topics.</param>
internal sealed class TopicEventStream(TopicHub hub, string? userId, bool takesTopics) : TopicClient(hub, userId), IRequestedConnection
{
    /// <summary>The type of the first event.</summary>
    public const string OpeningEventType = "stream";

    /// <summary>The type of the last event where the application ends the stream.</summary>
    public const string EndEventType = "disconnected";

    // For a client that does not read its last event.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    // One change at a time: what is undone when a change fails must be its own, and what is added under an authentication must not slip past
    // the next one.
    private SemaphoreSlim? _changes;
    private readonly string _secret = NewSecret();
    private ServerSentEventWriter? _events;

    /// <summary>
    /// Extends the stream's life by a newer authentication of its user, if that is in order; <see langword="null"/> where its host knows of
    /// no authentication.
    /// </summary>
    public Func<ClaimsPrincipal, DateTimeOffset?, bool>? Refresh { get; set; }

    /// <summary>Delivers until the stream is closed.</summary>
    public async Task RunAsync(ServerSentEventWriter events, CancellationToken closed)
    {
        _events = events;
        var opening = new TopicStreamOpening(new TopicStreamKey(Id, _secret).ToString(), Subscription.Topics);
        await events.WriteAsync(
            opening, TopicStreamJson.Default.TopicStreamOpening, OpeningEventType, Subscription.Cursor.ToString(), cancellationToken: CancellationToken.None).ConfigureAwait(false);
        Attach(new ServerSentEventTopicSubscriber(events));

        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (closed.UnsafeRegister(static end => ((TaskCompletionSource)end!).TrySetResult(), end).ConfigureAwait(false))
            await end.Task.ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken)
    {
        await Attached.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _events!.WriteAsync(payload, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the stream, with an event that says that its authentication has expired. Never fails.</summary>
    public Task ExpireAsync() => EndAsync("authentication expired");

    protected override async Task EndAsync(string? reason)
    {
        try
        {
            await Attached.ConfigureAwait(false);
            using var deadline = new CancellationTokenSource(EndTimeout, Hub.Options.TimeProvider);
            await _events!.WriteAsync(new TopicStreamEnd(reason), TopicStreamJson.Default.TopicStreamEnd, EndEventType, cancellationToken: deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It never came to be, has gone, or is not read.
        }

        _events?.Close();
    }

    async ValueTask<ReadOnlyMemory<byte>> IRequestedConnection.HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        TopicStreamReply reply;
        try
        {
            var asked = JsonSerializer.Deserialize(request.Span, TopicStreamJson.Default.TopicStreamRequest)!;
            reply = new TopicStreamReply(200, null, await RefreshAndChangeAsync(asked, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception error) when (TopicRefusedException.From(error) is { } refused)
        {
            reply = new TopicStreamReply(refused.StatusCode, refused.Message, null);
        }

        return JsonSerializer.SerializeToUtf8Bytes(reply, TopicStreamJson.Default.TopicStreamReply);
    }

    private async ValueTask<IReadOnlyList<string>> RefreshAndChangeAsync(TopicStreamRequest request, CancellationToken cancellationToken)
    {
        var change = request.Change;
        if (!TopicStreamKey.TryParse(change.Stream, out var key) || !IsSecret(key.Secret))
            throw new TopicRefusedException(404, TopicStreams.NotFound);
        if (request.UserId != UserId)
            throw new TopicRefusedException(403, "The stream is another user's.");

        var changes = Volatile.Read(ref _changes) ?? Interlocked.CompareExchange(ref _changes, new SemaphoreSlim(1, 1), null) ?? _changes;
        await changes.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (request.User is not null)
                await RefreshAsync(request.User.ToPrincipal(), request.Expires, cancellationToken).ConfigureAwait(false);
            return change is { Subscribe: null, Unsubscribe: null } && request.User is not null
                ? Subscription.Topics
                : await ChangeAsync(change, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            changes.Release();
        }
    }

    /// <summary>Extends the stream once every topic was asked about. What the user may no longer read is taken from it, as it is at a resume.</summary>
    private async ValueTask RefreshAsync(ClaimsPrincipal user, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        if (Refresh is not { } refresh || !await Subscription.ReauthorizeAsync(user, () => refresh(user, expires), cancellationToken).ConfigureAwait(false))
            throw new TopicRefusedException(403, "The stream cannot be refreshed by this.");
    }

    /// <summary>Adds topics, all or none, and then removes topics.</summary>
    /// <returns>The topics afterwards.</returns>
    private async ValueTask<IReadOnlyList<string>> ChangeAsync(TopicStreamChange change, CancellationToken cancellationToken)
    {
        if (!takesTopics)
            throw new TopicRefusedException(403, "The topics of this stream are fixed.");

        var after = TopicRequestReader.ReadCursor(change.After);
        try
        {
            await SubscribeAsync(change.Subscribe ?? [], after, cancellationToken).ConfigureAwait(false);
            foreach (var topic in change.Unsubscribe ?? [])
                await Subscription.RemoveAsync(topic).ConfigureAwait(false);
            return Subscription.Topics;
        }
        catch (InvalidOperationException) when (Subscription.End is not null)
        {
            throw new TopicRefusedException(404, TopicStreams.NotFound);
        }
    }

    private async ValueTask SubscribeAsync(string[] topics, TopicCursor? after, CancellationToken cancellationToken)
    {
        var had = new HashSet<string>(Subscription.Topics, StringComparer.Ordinal);
        var added = new List<string>();
        try
        {
            foreach (var topic in topics)
            {
                TopicPosition? position = after is not null && after.TryGetPosition(topic, out var known) ? known : null;
                if (!had.Add(topic))
                    continue;
                await Subscription.AddAsync(topic, position, cancellationToken).ConfigureAwait(false);
                added.Add(topic);
            }
        }
        catch
        {
            foreach (var topic in added)
                await Subscription.RemoveAsync(topic).ConfigureAwait(false);
            throw;
        }
    }

    private bool IsSecret(string secret) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(_secret));
}
