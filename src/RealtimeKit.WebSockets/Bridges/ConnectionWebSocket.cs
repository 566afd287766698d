using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>A connection in the shape of the BCL's class: the states, results and exceptions are those of its own sockets.</summary>
internal sealed class ConnectionWebSocket(CodecWebSocketConnection connection) : WebSocket
{
    private volatile bool _closeSent;
    private volatile bool _closeReceived;
    private volatile bool _isAborted;
    private volatile bool _isDisposed;

    // What has arrived of the message and has not been copied out.
    private bool _hasPart;
    private WebSocketReadResult _part;
    private ReadOnlySequence<byte> _rest;

    // Whether the next fragment to send continues a message.
    private bool _isSendingMessage;

    public override WebSocketCloseStatus? CloseStatus => !_closeReceived ? null : connection.ReceivedClose?.Status switch
    {
        // The BCL's sockets report a Close frame without a status as 1000.
        WebSocketCloseStatus.Empty => WebSocketCloseStatus.NormalClosure,
        var status => status,
    };

    public override string? CloseStatusDescription => !_closeReceived ? null : connection.ReceivedClose?.Reason ?? "";

    public override string? SubProtocol => connection.SubProtocol;

    public override WebSocketState State
    {
        get
        {
            if (_isAborted || connection.State == WebSocketState.Aborted)
                return WebSocketState.Aborted;
            if (_isDisposed || (_closeSent && _closeReceived))
                return WebSocketState.Closed;
            return _closeSent ? WebSocketState.CloseSent : _closeReceived ? WebSocketState.CloseReceived : WebSocketState.Open;
        }
    }

    public override void Abort()
    {
        if (State == WebSocketState.Closed)
            return;
        _isAborted = true;
        connection.Abort();
    }

    public override void Dispose()
    {
        if (_isDisposed)
            return;
        var isDone = _isAborted || (_closeSent && _closeReceived);
        _isDisposed = true;
        // As with the BCL's sockets an open one ends without a Close frame, after what has been sent.
        if (isDone)
            _ = connection.DisposeAsync().AsTask();
        else
            connection.Release();
    }

    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfNoArray(buffer);
        var result = await ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
        return result.MessageType == WebSocketMessageType.Close
            ? new WebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true, CloseStatus, CloseStatusDescription)
            : new WebSocketReceiveResult(result.Count, result.MessageType, result.EndOfMessage);
    }

    public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Refuse(WebSocketState.Open, WebSocketState.CloseSent) is { } refusal)
            return ValueTask.FromException<ValueWebSocketReceiveResult>(refusal);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<ValueWebSocketReceiveResult>(cancellationToken);
        if (_hasPart)
            return new ValueTask<ValueWebSocketReceiveResult>(TakePart(buffer.Span));
        ValueTask<WebSocketReadResult> read;
        try
        {
            read = connection.ReadAsync(cancellationToken);
        }
        catch (InvalidOperationException error)
        {
            return ValueTask.FromException<ValueWebSocketReceiveResult>(error);
        }

        if (!read.IsCompletedSuccessfully)
            return ReceivePartAsync(read, buffer);
        // An end that was lost is thrown, and belongs into the task.
        var part = read.GetAwaiter().GetResult();
        return part.MessageType == WebSocketMessageType.Close
            ? ReceivePartAsync(new ValueTask<WebSocketReadResult>(part), buffer)
            : new ValueTask<ValueWebSocketReceiveResult>(Take(part, buffer.Span));
    }

    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        ThrowIfNoArray(buffer);
        return SendAsync(buffer.AsMemory(), messageType, endOfMessage, cancellationToken).AsTask();
    }

    public override ValueTask SendAsync(ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
        SendAsync(buffer, messageType, endOfMessage ? WebSocketMessageFlags.EndOfMessage : WebSocketMessageFlags.None, cancellationToken);

    public override ValueTask SendAsync(
        ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, WebSocketMessageFlags messageFlags, CancellationToken cancellationToken)
    {
        if (messageType is not (WebSocketMessageType.Text or WebSocketMessageType.Binary))
            throw new ArgumentException("Text and binary messages are sent; to close, call CloseAsync or CloseOutputAsync.", nameof(messageType));
        if (Refuse(WebSocketState.Open, WebSocketState.CloseReceived) is { } refusal)
            return ValueTask.FromException(refusal);

        var isEnd = (messageFlags & WebSocketMessageFlags.EndOfMessage) != 0;
        if (isEnd && !_isSendingMessage && (messageFlags & WebSocketMessageFlags.DisableCompression) == 0)
            return connection.SendAsync(buffer, messageType, cancellationToken);

        // The type of a message is the type of its first fragment, as with the BCL's sockets.
        var opcode = _isSendingMessage ? WebSocketOpcode.Continuation : messageType.ToOpcode();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        var send = connection.SendFragmentAsync(buffer, opcode, isEnd, cancellationToken);
        _isSendingMessage = !isEnd;
        return send.IsCompletedSuccessfully ? send : SendFragmentAsync(send);
    }

    public override async Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        ThrowIfNotSendable(closeStatus, statusDescription);
        if (Refuse(WebSocketState.Open, WebSocketState.CloseReceived) is { } refusal)
            throw refusal;
        cancellationToken.ThrowIfCancellationRequested();
        _closeSent = true;
        connection.SendClose(closeStatus, statusDescription);
        if (_closeReceived)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    public override async Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        ThrowIfNotSendable(closeStatus, statusDescription);
        if (Refuse(WebSocketState.Open, WebSocketState.CloseSent, WebSocketState.CloseReceived) is { } refusal)
            throw refusal;
        cancellationToken.ThrowIfCancellationRequested();
        _closeSent = true;
        var result = await connection.CloseAsync(closeStatus, statusDescription, cancellationToken).ConfigureAwait(false);
        if (connection.ReceivedClose is null)
        {
            var wasAborted = _isAborted;
            _isAborted = true;
            if (wasAborted)
                throw new OperationCanceledException(nameof(WebSocketState.Aborted));
            cancellationToken.ThrowIfCancellationRequested();
            throw Lost();
        }

        _closeReceived = true;
        // What waits for a receive ends first; a client then waits for the server to close the transport (RFC 6455 §7.1.1).
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendFragmentAsync(ValueTask send)
    {
        try
        {
            await send.ConfigureAwait(false);
        }
        catch (Exception error) when (error is not WebSocketException)
        {
            // The message has a hole, or its next fragment no beginning: nothing that follows would be what it was meant to be.
            Abort();
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ValueWebSocketReceiveResult> ReceivePartAsync(ValueTask<WebSocketReadResult> read, Memory<byte> buffer)
    {
        WebSocketReadResult part;
        try
        {
            part = await read.ConfigureAwait(false);
        }
        catch (WebSocketProtocolException error)
        {
            _isAborted = true;
            throw new WebSocketException(WebSocketError.Faulted, error.Message, error);
        }

        return Take(part, buffer.Span);
    }

    private ValueWebSocketReceiveResult Take(in WebSocketReadResult part, Span<byte> buffer)
    {
        if (part.MessageType == WebSocketMessageType.Close)
            return TakeClose();
        _part = part;
        _rest = part.Payload;
        _hasPart = true;
        return TakePart(buffer);
    }

    private ValueWebSocketReceiveResult TakePart(Span<byte> buffer)
    {
        var count = (int)Math.Min(_rest.Length, buffer.Length);
        _rest.Slice(0, count).CopyTo(buffer);
        _rest = _rest.Slice(count);
        if (!_rest.IsEmpty)
            return new ValueWebSocketReceiveResult(count, _part.MessageType, endOfMessage: false);

        var result = new ValueWebSocketReceiveResult(count, _part.MessageType, _part.IsEndOfMessage);
        _hasPart = false;
        connection.AdvanceTo(_rest.End);
        _rest = default;
        return result;
    }

    private ValueWebSocketReceiveResult TakeClose()
    {
        if (connection.ReceivedClose is null)
        {
            var wasAborted = State == WebSocketState.Aborted;
            if (!_isDisposed)
                _isAborted = true;
            throw wasAborted ? new OperationCanceledException(nameof(WebSocketState.Aborted)) : Lost();
        }

        _closeReceived = true;
        if (_closeSent)
            _ = connection.DisposeAsync().AsTask();
        return new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true);
    }

    private WebSocketException? Refuse(WebSocketState first, WebSocketState second, WebSocketState third = WebSocketState.None)
    {
        var state = State;
        if (state == first || state == second || state == third)
            return null;
        var allowed = third == WebSocketState.None ? $"{first}, {second}" : $"{first}, {second}, {third}";
        return new WebSocketException(WebSocketError.InvalidState, $"The WebSocket is {state}; this takes one that is {allowed}.");
    }

    private static WebSocketException Lost() =>
        new(WebSocketError.ConnectionClosedPrematurely, "The WebSocket connection ended without the peer's Close frame.");

    private static void ThrowIfNoArray(ArraySegment<byte> buffer) => ArgumentNullException.ThrowIfNull(buffer.Array, "buffer.Array");

    private static void ThrowIfNotSendable(WebSocketCloseStatus closeStatus, string? statusDescription)
    {
        if (closeStatus == WebSocketCloseStatus.Empty)
        {
            if (!string.IsNullOrEmpty(statusDescription))
                throw new ArgumentException("A Close frame without a status carries no description (RFC 6455 §5.5.1).", nameof(statusDescription));
            return;
        }

        if (!closeStatus.IsAllowedOnWire())
            throw new ArgumentException($"The status {(int)closeStatus} must not stand on the wire (RFC 6455 §7.4).", nameof(closeStatus));
        if (statusDescription is not null && System.Text.Encoding.UTF8.GetByteCount(statusDescription) > WebSocketClosePayload.MaxReasonLength)
            throw new ArgumentException("A description has at most 123 bytes as UTF-8 (RFC 6455 §5.5).", nameof(statusDescription));
    }
}
