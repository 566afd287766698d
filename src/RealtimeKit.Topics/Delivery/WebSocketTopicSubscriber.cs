using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// Delivers entries to a WebSocket as they are, each as one message. A gap cannot be told in this form: subscribe with
/// <see cref="TopicSubscribeOptions.EndAtGap"/>, and close with <see cref="TooSlow"/> when the subscription ends.
/// </summary>
public sealed class WebSocketTopicSubscriber : ITopicSubscriber
{
    /// <summary>The close code for a subscriber that would have to skip something; the reason is its cursor, where that fits. 4000–4999 are the application's (RFC 6455 §7.4.2).</summary>
    public const int TooSlow = 4290;

    private const int MaxReasonLength = 123;   // RFC 6455 §5.5: 125 bytes less the code

    private readonly CodecWebSocketConnection _connection;
    private readonly Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? _onEnded;
    private readonly FlushWaiter _flush = new();

    /// <summary>Makes a subscriber.</summary>
    /// <param name="connection">The connection, which stays the caller's.</param>
    /// <param name="onEnded">Called when the subscription has ended; see <see cref="ITopicSubscriber.OnEnded"/>. Default: closes with
    /// <see cref="TooSlow"/> for <see cref="TopicSubscriptionEnd.TooSlow"/> and <see cref="TopicSubscriptionEnd.Gap"/>, with 1001 for
    /// <see cref="TopicSubscriptionEnd.Draining"/>, and aborts for <see cref="TopicSubscriptionEnd.Failed"/>, unless it is being closed.</param>
    public WebSocketTopicSubscriber(WebSocketConnection connection, Action<TopicSubscription, TopicSubscriptionEnd, Exception?>? onEnded = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _connection = (CodecWebSocketConnection)connection;   // there is no other
        _onEnded = onEnded;
    }

    /// <inheritdoc/>
    public ValueTask WaitUntilReadyAsync() => _connection.WaitUntilFlushedAsync(_flush);

    /// <inheritdoc/>
    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) =>
        _connection.SendAllAsync(new Messages(items), _flush);

    /// <inheritdoc/>
    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        if (_onEnded is not null)
            _onEnded(subscription, reason, exception);
        else if (reason == TopicSubscriptionEnd.Failed)
            AbortUnlessClosing(_connection);
        else if (reason == TopicSubscriptionEnd.Draining)
            _ = CloseAsync(WebSocketCloseStatus.EndpointUnavailable, null);
        else
            _ = CloseAsync((WebSocketCloseStatus)TooSlow, GetCloseReason(subscription));
    }

    /// <summary>The cursor as the reason of a Close frame; <see langword="null"/> where it is longer than the 123 bytes that fit.</summary>
    /// <param name="subscription">The subscription.</param>
    public static string? GetCloseReason(TopicSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        var cursor = subscription.Cursor.ToString();
        return cursor.Length <= MaxReasonLength ? cursor : null;
    }

    /// <summary>
    /// Ends a connection to which nothing can be delivered. One that is being closed takes no more by itself, and its peer shall read why: it
    /// ends with its closing handshake.
    /// </summary>
    internal static void AbortUnlessClosing(WebSocketConnection connection)
    {
        if (connection.State == WebSocketState.Open)
            connection.Abort();
    }

    private async Task CloseAsync(WebSocketCloseStatus status, string? reason)
    {
        try
        {
            await _connection.CloseAsync(status, reason).ConfigureAwait(false);
        }
        catch (Exception)
        {
            _connection.Abort();
        }
    }

    private readonly ref struct Messages(ReadOnlySpan<TopicItem> items) : IPreparedMessages
    {
        private readonly ReadOnlySpan<TopicItem> _items = items;

        public int Count => _items.Length;

        public PreparedWebSocketMessage? this[int index] =>
            _items[index].Kind == TopicItemKind.Entry ? _items[index].Entry.WebSocketMessage : null;
    }
}
