using System.Buffers.Text;
using System.Net.WebSockets;
using System.Security.Cryptography;

namespace RealtimeKit.Topics;

/// <summary>
/// A client of an endpoint: its place in the connection registry and its subscription. It subscribes before its response begins, and
/// delivers once there is something to deliver to.
/// </summary>
internal abstract class TopicClient(TopicHub hub, string? userId, string? id = null) : ITopicConnection, ITopicSubscriber, IAsyncDisposable
{
    private TaskCompletionSource? _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITopicSubscriber? _target;
    private TopicSubscription? _subscription;
    private IAsyncDisposable? _registration;
    private Exception? _failure;
    private bool _isEndTold;
    private bool _isDisposed;

    public string Id { get; } = id ?? NewSecret();

    public string? UserId => userId;

    public TopicSubscription Subscription => _subscription!;

    /// <summary>The subscription; <see langword="null"/> where it never came to be.</summary>
    protected TopicSubscription? SubscriptionOrNull => _subscription;

    protected TopicHub Hub => hub;

    /// <summary>Completes when there is a connection to write to; cancelled where there will be none.</summary>
    protected Task Attached => Volatile.Read(ref _waiting)?.Task ?? Task.CompletedTask;

    /// <summary>128 random bits, as 22 characters that are safe in a URL.</summary>
    public static string NewSecret()
    {
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }

    /// <summary>Registers and subscribes.</summary>
    public async ValueTask OpenAsync(TopicRequest request, bool endAtGap, CancellationToken cancellationToken)
    {
        try
        {
            _registration = await hub.Connections.AddAsync(this, cancellationToken).ConfigureAwait(false);
            var options = new TopicSubscribeOptions { User = request.User, ConnectionId = Id, EndAtGap = endAtGap };
            _subscription = await hub.SubscribeAsync(this, request.Topics, request.After, options, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException error) when (error is not TopicLimitException)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw new TopicRefusedException(503, "This server is going away. Try again.");
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken);

    public ValueTask DisconnectAsync(string? reason, CancellationToken cancellationToken)
    {
        // How long the client takes to say goodbye too is not the caller's business.
        _ = EndAsync(reason);
        return default;
    }

    ValueTask ITopicSubscriber.WaitUntilReadyAsync() =>
        Volatile.Read(ref _waiting) is { } waiting ? WaitForTargetAsync(waiting.Task) : _target!.WaitUntilReadyAsync();

    ValueTask ITopicSubscriber.DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) => _target!.DeliverAsync(subscription, items);

    void ITopicSubscriber.OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
    {
        _failure = exception;
        if (Volatile.Read(ref _waiting) is null)
            TellEnd(subscription, reason);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        Interlocked.Exchange(ref _waiting, null)?.TrySetCanceled();
        if (_subscription is not null)
            await _subscription.DisposeAsync().ConfigureAwait(false);
        if (_registration is not null)
            await _registration.DisposeAsync().ConfigureAwait(false);
        OnDisposed();
    }

    /// <summary>The client has neither subscription nor registration any more. Called once.</summary>
    protected virtual void OnDisposed()
    {
    }

    /// <summary>Ends the connection in order, within a time; never fails.</summary>
    protected abstract Task EndAsync(string? reason);

    /// <summary>Begins delivery.</summary>
    protected void Attach(ITopicSubscriber target)
    {
        _target = target;
        Interlocked.Exchange(ref _waiting, null)?.TrySetResult();

        // A host that stops may have ended it before there was anybody to tell.
        if (Subscription.End is { } end and not TopicSubscriptionEnd.Disposed)
            TellEnd(Subscription, end);
    }

    private void TellEnd(TopicSubscription subscription, TopicSubscriptionEnd reason)
    {
        if (!Interlocked.Exchange(ref _isEndTold, true))
            _target?.OnEnded(subscription, reason, _failure);
    }

    private async ValueTask WaitForTargetAsync(Task attached)
    {
        await attached.ConfigureAwait(false);
        await _target!.WaitUntilReadyAsync().ConfigureAwait(false);
    }
}
