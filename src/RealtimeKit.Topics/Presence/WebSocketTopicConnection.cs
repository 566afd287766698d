using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Topics;

/// <summary>
/// A WebSocket in the registry: found, listed, sent to and disconnected from any node. Its subscriptions count to it, and to the presence of
/// their topics, by its <see cref="Id"/>. Made by <see cref="TopicConnections.AddAsync(WebSocketConnection, string?, CancellationToken)"/>.
/// </summary>
public sealed class WebSocketTopicConnection : ITopicConnection, IAsyncDisposable
{
    private readonly WebSocketConnection _connection;
    private IAsyncDisposable? _registration;

    internal WebSocketTopicConnection(WebSocketConnection connection, string? userId)
    {
        _connection = connection;
        UserId = userId;
    }

    /// <summary>Its id, 128 random bits: what <see cref="TopicSubscribeOptions.ConnectionId"/> takes.</summary>
    public string Id { get; } = TopicClient.NewSecret();

    /// <inheritdoc/>
    public string? UserId { get; }

    /// <inheritdoc/>
    public ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType messageType, CancellationToken cancellationToken) =>
        _connection.SendAsync(payload, messageType, cancellationToken);

    /// <summary>Closes it with 1008 and as much of the reason as a Close frame holds. How long the client takes to answer is not waited for.</summary>
    /// <param name="reason">What to tell the client; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Not used.</param>
    public ValueTask DisconnectAsync(string? reason, CancellationToken cancellationToken)
    {
        _ = EndAsync(RawTopicClient.Shorten(reason));
        return default;
    }

    /// <summary>Takes it out of the registry. The connection itself stays open, and stays the caller's.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _registration, null)?.DisposeAsync() ?? default;

    internal async ValueTask<WebSocketTopicConnection> RegisterAsync(TopicConnections connections, CancellationToken cancellationToken)
    {
        _registration = await connections.AddAsync(this, cancellationToken).ConfigureAwait(false);
        return this;
    }

    private async Task EndAsync(string? reason)
    {
        try
        {
            await _connection.CloseAsync(WebSocketCloseStatus.PolicyViolation, reason).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Nobody waits for it. A connection that cannot be closed in order ends all the same.
        catch (Exception)
#pragma warning restore CA1031
        {
            _connection.Abort();
        }
    }
}
