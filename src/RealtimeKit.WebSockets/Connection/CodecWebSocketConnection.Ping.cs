using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets;

// Pings of this side carry a number, so that a pong tells which of them it answers.
internal sealed partial class CodecWebSocketConnection
{
    private long _lastPingId;
    private List<PingWaiter>? _pings;

    // Since when, as the wheel saw it, nothing was read and nothing received.
    private long _stuckSince;
    private uint _stuckVersion;

    public override async ValueTask<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        if (!_transport.SeesControlFrames)
            throw new NotSupportedException("A BCL WebSocket sends no pings on request and does not show pongs; set its own KeepAliveInterval.");
        var ping = new PingWaiter(Interlocked.Increment(ref _lastPingId), _clock.GetTimestamp());
        using (_pingGate.Enter())
        {
            if (_ending is null)
                (_pings ??= []).Add(ping);
            else
                ping.TrySetException(NotOpen());
        }

        try
        {
            if (!ping.Task.IsCompleted)
            {
                var payload = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64BigEndian(payload, ping.Id);
                await SendSequenceAsync(WebSocketOpcode.Ping, new ReadOnlySequence<byte>(payload), SendForm.Message, cancellationToken).ConfigureAwait(false);
                _wheel.EnsureWithin(_timer, ticks: 4);
                ReadAhead();
            }

            var roundTrip = await ping.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_metrics.MeasuresPings)
                _metrics.Pong(_isServer, roundTrip);
            return roundTrip;
        }
        finally
        {
            using (_pingGate.Enter())
                _pings?.Remove(ping);
            _ = ping.Task.Exception;   // where the sending has failed or the wait was cancelled, nobody looks at it any more
        }
    }

    // RFC 6455 §5.5.3: a pong may answer only the latest of several pings, so it answers the earlier ones too. Any other pong is
    // unsolicited, which is allowed.
    private void OnPong(ReadOnlySpan<byte> payload)
    {
        if (payload.Length != sizeof(long))
            return;
        var id = BinaryPrimitives.ReadInt64BigEndian(payload);
        NotePong(id);
        using (_pingGate.Enter())
        {
            for (var i = (_pings?.Count ?? 0) - 1; i >= 0; i--)
            {
                var ping = _pings![i];
                if (ping.Id > id || id > _lastPingId)
                    continue;
                _pings.RemoveAt(i);
                ping.TrySetResult(_clock.GetElapsedTime(ping.Started));
            }
        }
    }

    // Under the input gate. Whoever waits for a pong inside its receive loop is the one who would have to receive what lies before it.
    private bool CheckPings(long now)
    {
        if (_readPending || _waiting != ReceiveKind.None || _isThrottled || _stuckVersion != _version || _lastReceived > _stuckSince)
        {
            _stuckSince = now;
            _stuckVersion = _version;
        }

        using (_pingGate.Enter())
        {
            if (_pings is not { Count: > 0 } pings)
                return false;
            for (var i = pings.Count - 1; i >= 0; i--)
            {
                var since = Math.Max(Math.Max(pings[i].Started, _stuckSince), _wheel.StalledUntil);
                if (_options.KeepAliveTimeout == Timeout.InfiniteTimeSpan || _clock.GetElapsedTime(since, now) < _options.KeepAliveTimeout)
                    continue;
                pings[i].TrySetException(new TimeoutException("No pong could be read: what was read ahead is full of messages, and nobody receives them."));
                pings.RemoveAt(i);
            }

            return pings.Count > 0;
        }
    }

    private void FailPings()
    {
        using (_pingGate.Enter())
        {
            foreach (var ping in _pings ?? [])
                ping.TrySetException(NotOpen());
            _pings = null;
        }
    }

    private Gate _pingGate;

    private sealed class PingWaiter(long id, long started) : TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Id => id;

        public long Started => started;
    }
}
