using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

public abstract partial class WebSocketConnection
{
    /// <summary>
    /// Handles messages side by side, as many at once as are allowed: each is copied out of the connection's buffer, and the next is received
    /// only once a handler is free, so that a peer that sends faster feels it. Handlers begin in the order of the messages; whatever order
    /// their answers shall have is their own business.
    /// </summary>
    /// <param name="maxConcurrency">How many handlers may run at once; at least 1.</param>
    /// <param name="handler">
    /// Handles one message. Its payload is valid until the handler completes. The token is cancelled when the connection is over, when another
    /// handler has failed, or when <paramref name="cancellationToken"/> is.
    /// </param>
    /// <param name="cancellationToken">Ends the receiving, and is passed on to the handlers.</param>
    /// <returns>
    /// Completes when the connection has ended and every handler has; fails with the first failure of a handler, after the others have ended.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxConcurrency"/> is not positive.</exception>
    /// <exception cref="WebSocketProtocolException">The peer broke a rule; the messages before that were handled.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task ForEachAsync(
        int maxConcurrency, Func<WebSocketMessageType, ReadOnlyMemory<byte>, CancellationToken, ValueTask> handler, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxConcurrency);
        ArgumentNullException.ThrowIfNull(handler);
        using var free = new SemaphoreSlim(maxConcurrency, maxConcurrency);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(failed.Token, Closed);
        Exception? failure = null;
        try
        {
            while (true)
            {
                // First somebody to handle it, then the message: what waits meanwhile waits at the peer.
                await free.WaitAsync(failed.Token).ConfigureAwait(false);
                var isHandled = false;
                try
                {
                    var message = await ReceiveAsync(failed.Token).ConfigureAwait(false);
                    if (message.Type == WebSocketMessageType.Close)
                        break;
                    var length = checked((int)message.Payload.Length);
                    var copy = ArrayPool<byte>.Shared.Rent(length);
                    message.Payload.CopyTo(copy);
                    isHandled = true;
                    _ = HandleAsync(message.Type, copy, length);
                }
                finally
                {
                    if (!isHandled)
                        free.Release();
                }
            }
        }
        catch (OperationCanceledException) when (Volatile.Read(ref failure) is not null)
        {
            // What has failed is told once the others have ended.
        }
        finally
        {
            for (var i = 0; i < maxConcurrency; i++)
                await free.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);

        async Task HandleAsync(WebSocketMessageType type, byte[] copy, int length)
        {
            // A handler that works before it awaits must not keep the others from beginning.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            try
            {
                await handler(type, copy.AsMemory(0, length), ended.Token).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // One that was told to stop has not failed.
                if (!(error is OperationCanceledException && ended.IsCancellationRequested) && Interlocked.CompareExchange(ref failure, error, null) is null)
                    await failed.CancelAsync().ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(copy);
                free.Release();
            }
        }
    }
}
