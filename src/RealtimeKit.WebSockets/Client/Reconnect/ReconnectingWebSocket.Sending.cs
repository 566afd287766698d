using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeKit.WebSockets;

// A send that fails has not been accepted by its connection, so that it may be tried on the next one without sending it twice.
public sealed partial class ReconnectingWebSocket
{
    private readonly SemaphoreSlim _turn = new(1);
    private int _waitingSends;

    /// <summary>Sends a message; where there is no connection it waits for one, or fails (<see cref="ReconnectingWebSocketOptions.SendsWait"/>).</summary>
    /// <param name="payload">The payload; it may be reused as soon as the send has completed.</param>
    /// <param name="type">Text (the payload must be UTF-8) or binary.</param>
    /// <param name="cancellationToken">Cancels the wait; a cancelled message is not sent at all.</param>
    /// <returns>
    /// A task that completes when the message is in a connection's send buffer. What is in there when that connection is lost is lost.
    /// </returns>
    /// <exception cref="WebSocketException">There is no connection and sends do not wait, too many wait, or the socket is closed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default)
    {
        type.ToOpcode();
        return SendAsync((payload, type), static (connection, state, token) => connection.SendAsync(state.payload, state.type, token), cancellationToken);
    }

    /// <inheritdoc cref="SendAsync(ReadOnlyMemory{byte}, WebSocketMessageType, CancellationToken)"/>
    public ValueTask SendAsync(ReadOnlySequence<byte> payload, WebSocketMessageType type, CancellationToken cancellationToken = default)
    {
        type.ToOpcode();
        return SendAsync((payload, type), static (connection, state, token) => connection.SendAsync(state.payload, state.type, token), cancellationToken);
    }

    /// <summary>Sends a text message; where there is no connection it waits for one, or fails.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Cancels the wait; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in a connection's send buffer.</returns>
    /// <exception cref="WebSocketException">There is no connection and sends do not wait, too many wait, or the socket is closed.</exception>
    public ValueTask SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SendAsync(text, static (connection, text, token) => connection.SendAsync(text, token), cancellationToken);
    }

    /// <summary>Sends a value as a JSON text message; where there is no connection it waits for one, or fails.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value, written when it is sent.</param>
    /// <param name="json">The source-generated contract.</param>
    /// <param name="cancellationToken">Cancels the wait; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in a connection's send buffer.</returns>
    /// <exception cref="WebSocketException">There is no connection and sends do not wait, too many wait, or the socket is closed.</exception>
    public ValueTask SendAsync<T>(T value, JsonTypeInfo<T> json, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(json);
        return SendAsync((value, json), static (connection, state, token) => connection.SendAsync(state.value, state.json, token), cancellationToken);
    }

    /// <summary>Sends a message that was encoded before; where there is no connection it waits for one, or fails.</summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancels the wait; a cancelled message is not sent at all.</param>
    /// <returns>A task that completes when the message is in a connection's send buffer.</returns>
    /// <exception cref="WebSocketException">There is no connection and sends do not wait, too many wait, or the socket is closed.</exception>
    public ValueTask SendAsync(PreparedWebSocketMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return SendAsync(message, static (connection, message, token) => connection.SendAsync(message, token), cancellationToken);
    }

    private ValueTask SendAsync<TState>(TState state, Func<WebSocketConnection, TState, CancellationToken, ValueTask> send, CancellationToken cancellationToken)
    {
        // Nobody overtakes those who wait.
        if (_current is not { } connection || Volatile.Read(ref _waitingSends) > 0)
            return SendLaterAsync(except: null, state, send, cancellationToken);
        var sending = send(connection, state, cancellationToken);
        if (!sending.IsCompletedSuccessfully)
            return SendOrWaitAsync(connection, sending, state, send, cancellationToken);
        sending.GetAwaiter().GetResult();
        return default;
    }

    private async ValueTask SendOrWaitAsync<TState>(
        WebSocketConnection connection, ValueTask sending, TState state, Func<WebSocketConnection, TState, CancellationToken, ValueTask> send, CancellationToken cancellationToken)
    {
        try
        {
            await sending.ConfigureAwait(false);
        }
        catch (WebSocketException) when (_options.SendsWait)
        {
            await SendLaterAsync(connection, state, send, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask SendLaterAsync<TState>(
        WebSocketConnection? except, TState state, Func<WebSocketConnection, TState, CancellationToken, ValueTask> send, CancellationToken cancellationToken)
    {
        if (!_options.SendsWait && (_current is null || _state == ReconnectingWebSocketState.Closed))
            throw _state == ReconnectingWebSocketState.Closed ? Over() : new WebSocketException(WebSocketError.InvalidState, "There is no WebSocket connection now.");
        Start();
        try
        {
            if (Interlocked.Increment(ref _waitingSends) > _options.MaxWaitingSends)
                throw new WebSocketException(WebSocketError.InvalidState, "There is no WebSocket connection, and too many sends wait for one.");
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                while (true)
                {
                    var connection = await WhenOpenAsync(except, cancellationToken).ConfigureAwait(false);
                    try
                    {
                        await send(connection, state, cancellationToken).ConfigureAwait(false);
                        return;
                    }
                    catch (WebSocketException) when (_options.SendsWait)
                    {
                        except = connection;
                    }
                }
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waitingSends);
        }
    }
}
