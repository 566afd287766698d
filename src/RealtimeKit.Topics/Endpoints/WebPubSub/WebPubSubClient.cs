using System.Buffers;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>A WebSocket of either subprotocol.</summary>
/// <param name="hub">The topics.</param>
/// <param name="options">The options.</param>
/// <param name="groups">The only topics that it may join and publish to; <see langword="null"/> where it names them.</param>
/// <param name="request">What the client asked for.</param>
/// <param name="session">The connection that outlives the socket; <see langword="null"/> where nothing does.</param>
internal sealed partial class WebPubSubClient(
    TopicHub hub, WebPubSubOptions options, IReadOnlyList<string>? groups, TopicRequest request, WebPubSubSession? session)
    : TopicClient(hub, request.UserId, session?.Id), ITopicSession
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AckIdWindow _ackIds = session?.AckIds ?? new AckIdWindow(options.RememberedAckIds);
    private WebSocketConnection? _connection;
    private bool _isAborted;
    private Task? _closing;

    /// <summary>Completes when it has let go of the session.</summary>
    public Task Released => _released.Task;

    public async Task RunAsync(WebSocketConnection connection)
    {
        _connection = connection;
        Interlocked.MemoryBarrier();   // either this sees that it was aborted, or whoever aborts it sees the connection
        if (_isAborted)
        {
            connection.Abort();
            return;
        }

        try
        {
            await connection.SendAsync(WebPubSubMessages.CreateConnected(Id, UserId, session?.Token), WebSocketMessageType.Text).ConfigureAwait(false);
            if (session is { Ring.Count: > 0 } && !await ReplayAsync().ConfigureAwait(false))
                return;
            Attach(session is null ? new WebPubSubSubscriber(this, connection) : new WebPubSubReliableSubscriber(this, session, connection));
            await foreach (var message in connection.ReadAllAsync().ConfigureAwait(false))
            {
                if (!await HandleAsync(message).ConfigureAwait(false))
                    return;
            }
        }
        catch (WebSocketException)
        {
            // It has gone while something was sent: that is how clients lose connections.
        }
    }

    /// <summary>Ends the socket at once, for a client that has come back over another.</summary>
    public void Abort()
    {
        _isAborted = true;
        Interlocked.MemoryBarrier();
        _connection?.Abort();
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken)
    {
        await Attached.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _connection!.SendAsync(WebPubSubMessages.CreateServerMessage(payload.Span, messageType), WebSocketMessageType.Text, cancellationToken).ConfigureAwait(false);
    }

    public void OnSubscriptionEnded(TopicSubscriptionEnd reason)
    {
        if (reason == TopicSubscriptionEnd.Failed)
            WebSocketTopicSubscriber.AbortUnlessClosing(_connection!);
        else if (reason == TopicSubscriptionEnd.Draining)
            _ = CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "This server is going away.");
        else
            _ = FailAsync(WebSocketCloseStatus.PolicyViolation, "Messages were lost: the connection was too slow. Connect anew.");
    }

    protected override async Task EndAsync(string? reason)
    {
        try
        {
            await Attached.ConfigureAwait(false);
            await FailAsync(WebSocketCloseStatus.PolicyViolation, reason).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It never came to be, or has gone.
        }
    }

    protected override void OnDisposed()
    {
        session?.Release(this, SubscriptionOrNull);
        _released.TrySetResult();
    }

    /// <summary>Sends again what was sent and not acknowledged.</summary>
    /// <returns>Whether the connection goes on.</returns>
    private async ValueTask<bool> ReplayAsync()
    {
        var replay = new WebPubSubReplay(Hub.Engine);
        var ring = session!.Ring;
        var head = new byte[WebPubSubMessages.MaxHeadLength];
        using var batch = _connection!.CreateBatch();
        try
        {
            for (var i = 0; i < ring.Count; i++)
            {
                var (topic, position) = ring[i];
                if (await replay.FindAsync(topic, position, _connection.Closed).ConfigureAwait(false) is not { } entry)
                {
                    await FailAsync(WebSocketCloseStatus.PolicyViolation, "Messages were lost: they have left the history. Connect anew.").ConfigureAwait(false);
                    return false;
                }

                var length = WebPubSubMessages.WriteHead(head, ring.NumberOf(i));
                batch.Add(head.AsSpan(0, length), entry.WebPubSubMessage.Payload.Span[1..], WebSocketMessageType.Text);
                if (batch.Length >= Hub.Options.BatchBytes)
                    await batch.FlushAsync().ConfigureAwait(false);
            }

            await batch.FlushAsync().ConfigureAwait(false);
            return true;
        }
        catch (TopicEngineException)
        {
            await CloseAsync((WebSocketCloseStatus)1013, "Topics are not available now. Try again.").ConfigureAwait(false);   // IANA's registry of close codes
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Ends the connection for good: a client that reads 1008 begins anew, and any other would find nothing to recover.</summary>
    private Task FailAsync(WebSocketCloseStatus status, string? message)
    {
        session?.End();
        return CloseAsync(status, message);
    }

    // The first counts, and the others wait for it. Never throws.
    private Task CloseAsync(WebSocketCloseStatus status, string? message)
    {
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _closing, finished.Task, null) ?? CloseAsync(status, message, finished);
    }

    private async Task CloseAsync(WebSocketCloseStatus status, string? message, TaskCompletionSource finished)
    {
        var connection = _connection!;
        try
        {
            await connection.SendAsync(WebPubSubMessages.CreateDisconnected(message), WebSocketMessageType.Text).ConfigureAwait(false);
            await connection.CloseAsync(status, RawTopicClient.Shorten(message)).ConfigureAwait(false);
        }
        catch (Exception)
        {
            connection.Abort();
        }

        finished.SetResult();
    }
}
