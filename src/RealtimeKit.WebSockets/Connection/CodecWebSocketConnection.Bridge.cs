using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// What the bridges need beyond the public members: single fragments, and a Close frame that the application answers itself.
internal sealed partial class CodecWebSocketConnection
{
    private object? _bridge;
    private RemoteClose? _remoteClose;

    /// <summary>The peer's Close frame.</summary>
    public sealed record RemoteClose(WebSocketCloseStatus Status, string? Reason);

    /// <summary>The peer's Close frame, once it has been read.</summary>
    public RemoteClose? ReceivedClose => Volatile.Read(ref _remoteClose);

    /// <summary>Whether messages, or parts of one, came and were not given to a receiver; settled once a receive has shown the end.</summary>
    public bool HasDiscarded => _hasDiscarded;

    private bool IsAnsweredByBridge => _bridge is ConnectionWebSocket && !_closeSent;

    public override WebSocket AsWebSocket() => Bridge(static connection => new ConnectionWebSocket(connection));

    public override IDuplexPipe AsDuplexPipe() => Bridge(static connection => new ConnectionPipe(connection)).Start();

    private T Bridge<T>(Func<CodecWebSocketConnection, T> create)
        where T : class
    {
        var bridge = Volatile.Read(ref _bridge);
        if (bridge is null)
        {
            var created = create(this);
            bridge = Interlocked.CompareExchange(ref _bridge, created, null) ?? created;
        }

        return bridge as T ?? throw new InvalidOperationException("The connection has been bridged already, to something else.");
    }

    /// <summary>Sends this side's Close frame, unless it has been sent, and waits for nothing.</summary>
    public void SendClose(WebSocketCloseStatus status, string? reason)
    {
        ThrowIfNotClosePayload(status, reason);
        // Either this sees the peer's Close frame, or whoever reads that one sees that ours has been sent.
        if (TryEnqueueClose(status, reason) && ReceivedClose is { } remote)
            End(remote.Status, remote.Reason, WebSocketCloseInitiator.Remote, isClean: true);
        StartFlush();
    }

    /// <summary>Sends one fragment of a message as one frame, uncompressed (RFC 6455 §5.4). The order of fragments is the caller's.</summary>
    public ValueTask SendFragmentAsync(ReadOnlyMemory<byte> payload, WebSocketOpcode opcode, bool isFinal, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        using (_outputGate.Enter())
        {
            if (_sendClosed)
                return ValueTask.FromException(NotOpen());
            if (payload.Length > _options.MaxFrameSize || !HasRoom(payload.Length))
                return SendFragmentsAsync(payload, opcode, isFinal, cancellationToken);
            AppendFrame(NewHeader(opcode, payload.Length, isFinal), payload.Span);
            if (!TakeForFlush())
                return default;
        }

        Flush();
        return default;
    }

    /// <summary>Ends the connection as soon as everything that was accepted is out: without a Close frame, and without waiting for it.</summary>
    public void Release()
    {
        End(null, null, WebSocketCloseInitiator.Local, isClean: false);
        EndWaiting();
        _ = DisposeAsync().AsTask();
    }

    private async ValueTask SendFragmentsAsync(ReadOnlyMemory<byte> payload, WebSocketOpcode opcode, bool isFinal, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);   // out of the gate
        var frames = PooledBufferWriter.Rent();
        try
        {
            do
            {
                var piece = payload[..Math.Min(payload.Length, _options.MaxFrameSize)];
                payload = payload[piece.Length..];
                var header = NewHeader(opcode, piece.Length, isFinal && payload.IsEmpty);
                var size = header.Length + piece.Length;
                WriteFrame(frames.GetSpan(size), header, piece.Span);
                frames.Advance(size);
                opcode = WebSocketOpcode.Continuation;
            }
            while (!payload.IsEmpty);

            await SendSequenceAsync(default, new ReadOnlySequence<byte>(frames.WrittenMemory), SendForm.Frames, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            frames.Return();
        }
    }
}
