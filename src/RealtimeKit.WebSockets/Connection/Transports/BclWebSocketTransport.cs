using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A transport over a BCL <see cref="WebSocket"/>, for hosts that give nothing else. What that socket receives is dressed as
/// unmasked frames and what it is to send is undressed again, so that everything above the wire is the same code.
/// </summary>
/// <remarks>The socket answers pings itself and shows neither them nor pongs. A pending receive is never cancelled: that would abort it.</remarks>
internal sealed class BclWebSocketTransport(WebSocket socket, bool leaveOpen, IAbortable? owner = null) : WebSocketTransport
{
    private Memory<byte> _destination;
    private int _headerRoom;
    private bool _isContinuation;
    private ReadOnlyMemory<byte> _dressed;   // frames that wait for room: an empty message, a Close
    private ConfiguredValueTaskAwaitable<ValueWebSocketReceiveResult>.ConfiguredValueTaskAwaiter _read;
    private bool _isReading;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _write;
    private WebSocketMessageType _sendingType;

    public override bool ReadsIntoBuffer => true;

    public override bool SeesControlFrames => false;

    public override bool BeginRead(Memory<byte> destination)
    {
        _destination = destination;
        _isReading = _dressed.IsEmpty;
        if (!_isReading)
            return true;
        Debug.Assert(destination.IsEmpty || destination.Length > 2);
        _headerRoom = destination.IsEmpty ? 0 : HeaderLength(destination.Length);
        _read = socket.ReceiveAsync(destination[_headerRoom..], CancellationToken.None).ConfigureAwait(false).GetAwaiter();
        return _read.IsCompleted;
    }

    public override void OnReadCompleted(Action continuation) => _read.UnsafeOnCompleted(continuation);

    public override int EndRead(Span<byte> destination, int masked, uint maskingKey)
    {
        if (!_isReading)
            return TakeDressed(destination);
        _isReading = false;
        var result = _read.GetResult();
        if (result.MessageType == WebSocketMessageType.Close)
        {
            _dressed = DressClose();
            return TakeDressed(destination);
        }

        if (destination.IsEmpty && result is { Count: 0, EndOfMessage: false })
            return 0;   // only waited

        var header = new WebSocketFrameHeader
        {
            IsFinal = result.EndOfMessage,
            Opcode = _isContinuation ? WebSocketOpcode.Continuation : result.MessageType.ToOpcode(),
            PayloadLength = result.Count,
        };
        _isContinuation = !result.EndOfMessage;
        if (destination.IsEmpty)
        {
            // Waiting for data has consumed an empty message.
            var frame = new byte[WebSocketFrameHeader.MaxLength];
            header.TryWrite(frame, out var length);
            _dressed = frame.AsMemory(0, length);
            return 0;
        }

        if (header.Length != _headerRoom)
            destination.Slice(_headerRoom, result.Count).CopyTo(destination[header.Length..]);
        header.TryWrite(destination, out var headerLength);
        return headerLength + result.Count;
    }

    public override bool TryInterruptRead() => false;

    public override bool BeginWrite(ReadOnlyMemory<byte> source)
    {
        _write = SendFramesAsync(source).ConfigureAwait(false).GetAwaiter();
        return _write.IsCompleted;
    }

    public override void OnWriteCompleted(Action continuation) => _write.UnsafeOnCompleted(continuation);

    public override void EndWrite() => _write.GetResult();

    public override void Abort()
    {
        socket.Abort();
        owner?.Abort();
    }

    public override ValueTask CloseAsync()
    {
        if (!leaveOpen)
            socket.Dispose();
        return default;
    }

    // RFC 6455 §5.2: the longest header that a frame of this length, header included, may need.
    private static int HeaderLength(int frameLength) => frameLength <= 2 + 125 ? 2 : frameLength <= 4 + ushort.MaxValue ? 4 : 10;

    private int TakeDressed(Span<byte> destination)
    {
        var count = Math.Min(destination.Length, _dressed.Length);
        _dressed.Span[..count].CopyTo(destination);
        _dressed = _dressed[count..];
        return count;
    }

    private byte[] DressClose()
    {
        Span<byte> payload = stackalloc byte[WebSocketClosePayload.MaxLength];
        var length = socket.CloseStatus is { } status && status.IsAllowedOnWire()
            ? WebSocketClosePayload.Write(payload, status, socket.CloseStatusDescription)
            : 0;
        var header = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Close, PayloadLength = length };
        var frame = new byte[header.Length + length];
        header.TryWrite(frame, out var headerLength);
        payload[..length].CopyTo(frame.AsSpan(headerLength));
        return frame;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendFramesAsync(ReadOnlyMemory<byte> frames)
    {
        while (!frames.IsEmpty)
        {
            WebSocketFrameHeader.TryRead(frames.Span, out var header, out var headerLength);
            var payload = frames.Slice(headerLength, (int)header.PayloadLength);
            frames = frames[(headerLength + payload.Length)..];
            if (header.Opcode == WebSocketOpcode.Close)
            {
                await SendCloseAsync(payload).ConfigureAwait(false);
                continue;
            }

            if (header.Opcode != WebSocketOpcode.Continuation)
                _sendingType = header.Opcode.ToMessageType();
            await socket.SendAsync(payload, _sendingType, header.IsFinal, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private Task SendCloseAsync(ReadOnlyMemory<byte> payload)
    {
        WebSocketClosePayload.Read(payload.Span, out var close);
        return close.Status is { } status
            ? socket.CloseOutputAsync(status, close.Reason.IsEmpty ? null : close.GetReason(), CancellationToken.None)
            : socket.CloseOutputAsync(WebSocketCloseStatus.Empty, null, CancellationToken.None);
    }
}
