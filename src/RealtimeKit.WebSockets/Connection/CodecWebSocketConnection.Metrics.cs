using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Measuring. What happens under a gate is noted there and told outside, because listeners are foreign code. While nobody listens nothing
// is noted, and a connection holds nothing for it.
internal sealed partial class CodecWebSocketConnection
{
    private readonly WebSocketMetrics _metrics;
    private readonly long _opened;
    private readonly bool _isCounted;
    private Measurements? _measured;

    private sealed class Measurements
    {
        public WebSocketTraffic Received;
        public bool HasReceived;
        public long KeepAliveId;
        public TimeSpan? RoundTrip;
        public bool SendsText;   // the type of the message whose fragments are sent
        public long QueueShown;
    }

    // Two threads may come first at once, and one connection has one of these.
    private Measurements Measured => Volatile.Read(ref _measured) ?? Interlocked.CompareExchange(ref _measured, new Measurements(), null) ?? _measured;

    // Under the input gate.
    private void NoteReceived(int count)
    {
        if (!_metrics.MeasuresReceived)
            return;
        Measured.Received.Bytes += count;
        Measured.HasReceived = true;
    }

    // Under the input gate: a message is complete.
    private void NoteMessage(bool isInflated)
    {
        if (!_metrics.MeasuresReceived)
            return;
        var measured = Measured;
        if (_messageType == WebSocketMessageType.Text)
            measured.Received.TextMessages++;
        else
            measured.Received.BinaryMessages++;
        if (isInflated && _messageLength > 0)
            measured.Received.InflateRatio = (double)_inflatedLength / _messageLength;
        measured.HasReceived = true;
    }

    // Under the input gate.
    private void NoteKeepAlive(long id)
    {
        if (_metrics.MeasuresPings)
            Measured.KeepAliveId = id;
    }

    // Under the input gate. A later ping's pong answers this one too (RFC 6455 §5.5.3).
    private void NotePong(long id)
    {
        if (_measured is not { KeepAliveId: > 0 } measured || id < measured.KeepAliveId || id > Volatile.Read(ref _lastPingId))
            return;
        measured.KeepAliveId = 0;
        measured.RoundTrip = _clock.GetElapsedTime(_keepAlivePinged);
        measured.HasReceived = true;
    }

    // Under no gate.
    private void TellReceived(Measurements measured)
    {
        WebSocketTraffic received;
        TimeSpan? roundTrip;
        using (_inputGate.Enter())
        {
            (received, measured.Received) = (measured.Received, default);
            (roundTrip, measured.RoundTrip) = (measured.RoundTrip, null);
            measured.HasReceived = false;
        }

        _metrics.Receive(_isServer, received);
        if (roundTrip is { } time)
            _metrics.Pong(_isServer, time);
    }

    // By the thread that owns the transport's writing side: what it is about to write is whole frames.
    private void TellSent()
    {
        var sent = new WebSocketTraffic { Bytes = _flushing.Count };
        var measured = Measured;
        var frames = _flushing.AsSpan();
        while (WebSocketFrameHeader.TryRead(frames, out var header, out var headerLength) == OperationStatus.Done)
        {
            frames = frames[(headerLength + (int)header.PayloadLength)..];
            if (header.IsControl)
                continue;
            if (header.Opcode != WebSocketOpcode.Continuation)
                measured.SendsText = header.Opcode == WebSocketOpcode.Text;
            if (header.IsFinal && measured.SendsText)
                sent.TextMessages++;
            else if (header.IsFinal)
                sent.BinaryMessages++;
        }

        _metrics.Send(_isServer, sent);
    }

    // Under no gate: when a write pends, at each visit of the wheel while it does, and when nothing is left.
    private void TellQueue()
    {
        if (_measured is not { QueueShown: > 0 } && !(_isFlushing && _metrics.MeasuresQueue))
            return;
        var measured = Measured;
        long change;
        using (_outputGate.Enter())
        {
            var depth = _isFlushing ? _output.Count + _flushing.Count : 0;
            change = depth - measured.QueueShown;
            measured.QueueShown = depth;
        }

        if (change == 0)
            return;
        try
        {
            _metrics.Queue(_isServer, change);
        }
        catch (Exception)
        {
            // A listener threw. This may be the transport's callback or the wheel, or the transport may be writing: they must go on.
        }
    }

    private void TellQueueEmptied()
    {
        if (_measured is { QueueShown: > 0 })
            TellQueue();
    }

    // Under any gate.
    private void TellFailure()
    {
        if (_metrics.MeasuresErrors)
            ThreadPool.UnsafeQueueUserWorkItem(static state => state._metrics.Fail(state._isServer, state._failure), this, preferLocal: false);
    }

    // Under any gate.
    private void TellEnd()
    {
        if (!_isCounted && _measured is null && !_metrics.MeasuresEnds)
            return;
        var duration = _clock.GetElapsedTime(_opened);
        ThreadPool.UnsafeQueueUserWorkItem(static end => end.Connection.TellEnd(end.Duration), (Connection: this, Duration: duration), preferLocal: false);
    }

    private void TellEnd(TimeSpan duration)
    {
        if (_measured is { HasReceived: true } measured)
            TellReceived(measured);
        if (_isCounted)
            _metrics.Close(_isServer);
        _metrics.End(_isServer, duration, _ending!.Result);
    }
}
