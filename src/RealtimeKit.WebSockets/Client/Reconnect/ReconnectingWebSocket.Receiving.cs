using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

public sealed partial class ReconnectingWebSocket
{
    // A reader that is so many lost connections behind holds up the next one: what they still hold is bounded.
    private const int MaxUnread = 2;

    private volatile bool _isReading;

    /// <summary>
    /// Receives every message of every connection, in order, until the socket is closed. What had arrived on a connection that was lost
    /// is received before the next one's messages, as long as this is being enumerated when it is lost.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait only: the connection stays usable after it.</param>
    /// <returns>
    /// The messages, each borrowed until the next one is asked for. The sequence ends when the application closed the socket, or the peer
    /// with 1000.
    /// </returns>
    /// <exception cref="WebSocketConnectException">A connect failed with an error that is permanent.</exception>
    /// <exception cref="System.Net.WebSockets.WebSocketException">The peer closed with a status that is permanent.</exception>
    /// <exception cref="WebSocketProtocolException">The peer broke a rule; the socket is closed.</exception>
    /// <exception cref="InvalidOperationException">Somebody else is reading.</exception>
    public async IAsyncEnumerable<WebSocketMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_isReading)
                throw new InvalidOperationException("Somebody else is reading from this socket: one at a time.");
            _isReading = true;
        }

        try
        {
            Start();
            while (await NextUnreadAsync(cancellationToken).ConfigureAwait(false) is { } connection)
            {
                var messages = connection.ReadAllAsync(cancellationToken).GetAsyncEnumerator(CancellationToken.None);
                await using (messages.ConfigureAwait(false))
                {
                    while (true)
                    {
                        bool isThereMore;
                        try
                        {
                            isThereMore = await messages.MoveNextAsync().ConfigureAwait(false);
                        }
                        catch (WebSocketProtocolException)
                        {
                            // Who reads on reads the next connection.
                            Drop(connection);
                            throw;
                        }

                        if (!isThereMore)
                            break;
                        yield return messages.Current;
                    }
                }

                Drop(connection);
            }
        }
        finally
        {
            _isReading = false;
            Signal();
        }
    }

    // It has ended, and nothing of it is left to read.
    private void Drop(WebSocketConnection connection)
    {
        lock (_lock)
        {
            if (_unread.TryPeek(out var first) && first == connection)
                _unread.Dequeue();
        }

        _ = connection.DisposeAsync().AsTask();
        Signal();
    }

    // Null: there will be none, and nothing went wrong.
    private async Task<WebSocketConnection?> NextUnreadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Changed;
            var isClosed = _state == ReconnectingWebSocketState.Closed;
            lock (_lock)
            {
                if (_unread.TryPeek(out var connection))
                    return connection;
            }

            if (isClosed)
                return _fatal is { } error ? throw error : null;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WhenReaderIsNearAsync()
    {
        while (true)
        {
            var changed = Changed;
            lock (_lock)
            {
                if (!_isReading || _unread.Count < MaxUnread)
                    return;
            }

            await changed.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
    }

    private bool TryTakeUnread([NotNullWhen(true)] out WebSocketConnection? connection)
    {
        lock (_lock)
            return _unread.TryDequeue(out connection);
    }
}
