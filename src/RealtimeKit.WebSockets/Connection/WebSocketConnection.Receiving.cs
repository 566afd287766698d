namespace RealtimeKit.WebSockets;

public abstract partial class WebSocketConnection
{
    /// <summary>Receives every message until the connection ends.</summary>
    /// <param name="cancellationToken">Cancels the wait only: the connection stays usable after it.</param>
    /// <returns>
    /// The messages, each borrowed until the next one is asked for. The sequence ends when the connection has ended in any way
    /// (<see cref="CloseResult"/> says how).
    /// </returns>
    /// <exception cref="WebSocketProtocolException">The peer broke a rule; the messages before that were delivered.</exception>
    public IAsyncEnumerable<WebSocketMessage> ReadAllAsync(CancellationToken cancellationToken = default) => new Messages(this, cancellationToken);

    // Both faces in one object: a receive loop costs one allocation, and none for each message.
    private sealed class Messages(WebSocketConnection connection, CancellationToken cancellationToken)
        : IAsyncEnumerable<WebSocketMessage>, IAsyncEnumerator<WebSocketMessage>
    {
        private readonly CancellationToken _cancellationToken = cancellationToken;

        public WebSocketMessage Current => connection.Current;

        public IAsyncEnumerator<WebSocketMessage> GetAsyncEnumerator(CancellationToken cancellationToken)
        {
            if (!cancellationToken.CanBeCanceled || cancellationToken == _cancellationToken)
                return this;
            if (!_cancellationToken.CanBeCanceled)
                return new Messages(connection, cancellationToken);
            throw new InvalidOperationException("Pass the token to ReadAllAsync or to WithCancellation, not different ones to both.");
        }

        public ValueTask<bool> MoveNextAsync() => connection.MoveNextAsync(_cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
