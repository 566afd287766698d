using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace RealtimeKit.ServerSentEvents;

public sealed partial class ServerSentEventWriter
{
    /// <summary>Sends what has been written. Only of use where <see cref="ServerSentEventWriterOptions.AutoFlush"/> is off.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when the pipe has taken the bytes.</returns>
    /// <exception cref="OperationCanceledException">The stream has ended, or the token was cancelled.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        await _gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        ValueTask<FlushResult> flush;
        try
        {
            ThrowIfClosed();
            flush = BeginFlush(cancellationToken);
        }
        catch
        {
            _gate.Exit();
            throw;
        }

        await FinishAsync(flush).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a heartbeat unless a write is under way, which makes it needless: it never waits, not even for its own flush. A flush that
    /// finds the reader gone closes the stream.
    /// </summary>
    /// <returns>Whether a heartbeat was written.</returns>
    public bool TryWriteHeartbeat()
    {
        if (_isClosed || !_gate.TryEnter())
            return false;
        if (_isClosed)
        {
            // Looked at again with the gate held: since the first look a host may have taken its pipe back for another stream.
            _gate.Exit();
            return false;
        }

        ValueTask<FlushResult> flush;
        try
        {
            var heartbeat = _options.Heartbeat.Span;
            heartbeat.CopyTo(_output.GetSpan(heartbeat.Length));
            _output.Advance(heartbeat.Length);
            Volatile.Write(ref _writeCount, _writeCount + 1);
            _metrics?.HeartbeatWritten(heartbeat.Length);
            flush = BeginFlush(CancellationToken.None);
        }
        catch (Exception)
        {
            // The host has taken the pipe away: the stream is over, and whoever writes next is told.
            _gate.Exit();
            Close();
            return false;
        }

        if (flush.IsCompletedSuccessfully)
            Finish(flush.Result);
        else
            _ = FinishHeartbeatAsync(flush);
        return true;
    }

    /// <summary>Ends the stream for whoever writes: <see cref="Closed"/> is cancelled, and writes throw. The pipe is left alone.</summary>
    public void Close()
    {
        _isClosed = true;
        Interlocked.MemoryBarrier();   // or else this and the first to ask for the token could miss each other

        // Whoever waits on the token goes on elsewhere: this may be a shared timer's thread.
        _ = Volatile.Read(ref _closed)?.CancelAsync();
    }

    /// <summary>
    /// Waits for the write under way, says a last reconnection time if asked to, and closes. For hosts, when a stream ends; of several
    /// calls the first to get its turn says what any of them has asked for until then.
    /// </summary>
    /// <param name="retry">How long the client shall wait before it reconnects; null for nothing said.</param>
    /// <param name="cancellationToken">Ends the wait; the stream is closed all the same.</param>
    /// <returns>Completes when nothing more is written to the pipe.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="retry"/> is negative.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask CompleteAsync(TimeSpan? retry = null, CancellationToken cancellationToken = default)
    {
        // Before it closes: the application's next write throws then, and with the application's end another call may be the first.
        if (retry is { } wanted)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(wanted, TimeSpan.Zero, nameof(retry));
            Volatile.Write(ref _lastRetry, wanted.Ticks);
        }

        Close();
        await _gate.EnterAsync(cancellationToken).ConfigureAwait(false);

        try
        {
            // Whoever waited for the gate behind this finds the stream closed: nothing touches the pipe any more, which may be another
            // stream's by the time a second caller gets here.
            if (!_isCompleted)
            {
                var ticks = Volatile.Read(ref _lastRetry);
                if (ticks >= 0)
                    WritePayload(new RetryPayload(TimeSpan.FromTicks(ticks)));
                if (ticks >= 0 || !_options.AutoFlush)
                    await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _isCompleted = true;
            _gate.Exit();
        }
    }

    /// <summary>Writes what a host opens a stream with, which is no event.</summary>
    /// <remarks>Flushed, whatever the options say: the headers leave with it.</remarks>
    internal ValueTask WriteOpeningAsync(PreparedServerSentEvent opening) => SendAsync(new OpeningPayload(opening), CancellationToken.None, flushes: true);

    /// <summary>Writes several events and flushes once, whatever the options say, unless a write is under way.</summary>
    /// <returns>Whether the gate was free. The task completes when the pipe has taken the bytes.</returns>
    internal bool TrySendBatch<TPayload>(scoped in TPayload payload, out ValueTask flushed)
        where TPayload : struct, IEventPayload, allows ref struct
    {
        flushed = default;
        if (!_gate.TryEnter())
            return false;
        var flush = Write(payload, CancellationToken.None, flushes: true);
        if (flush.IsCompletedSuccessfully)
            Finish(flush.Result);
        else
            flushed = FinishAsync(flush);
        return true;
    }

    /// <summary>Writes what is encoded already, and flushes it, whatever the options say.</summary>
    internal async ValueTask SendEncodedAsync(ReadOnlyMemory<byte> encoded)
    {
        _backlog?.OnBacklogChanged(encoded.Length);
        try
        {
            await _gate.EnterAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _backlog?.OnBacklogChanged(-encoded.Length);
        }

        await FinishAsync(Write(new EncodedPayload(encoded), CancellationToken.None, flushes: true)).ConfigureAwait(false);
    }

    private ValueTask SendAsync<TPayload>(in TPayload payload, CancellationToken cancellationToken, bool flushes = false)
        where TPayload : struct, IEventPayload
    {
        if (!_gate.TryEnter())
            return SendWhenFreeAsync(payload, flushes, cancellationToken);
        var flush = Write(payload, cancellationToken, flushes);
        if (!flush.IsCompletedSuccessfully)
            return FinishAsync(flush);
        Finish(flush.Result);
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendWhenFreeAsync<TPayload>(TPayload payload, bool flushes, CancellationToken cancellationToken)
        where TPayload : struct, IEventPayload
    {
        await _gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        await FinishAsync(Write(payload, cancellationToken, flushes)).ConfigureAwait(false);
    }

    /// <summary>Writes with the gate held; lets go of it where that throws.</summary>
    private ValueTask<FlushResult> Write<TPayload>(scoped in TPayload payload, CancellationToken cancellationToken, bool flushes = false)
        where TPayload : struct, IEventPayload, allows ref struct
    {
        try
        {
            ThrowIfClosed();
            cancellationToken.ThrowIfCancellationRequested();
            WritePayload(payload);
            Volatile.Write(ref _writeCount, _writeCount + 1);
            return flushes || _options.AutoFlush || (_output.CanGetUnflushedBytes && _output.UnflushedBytes >= _options.MaxUnflushedBytes)
                ? BeginFlush(cancellationToken)
                : default;
        }
        catch
        {
            _gate.Exit();
            throw;
        }
    }

    private void WritePayload<TPayload>(scoped in TPayload payload)
        where TPayload : struct, IEventPayload, allows ref struct
    {
        if (_metrics is { CountsWrites: true } metrics)
            WriteCounted(payload, metrics);
        else
            payload.Write(_output);
    }

    private void WriteCounted<TPayload>(scoped in TPayload payload, ServerSentEventMetrics metrics)
        where TPayload : struct, IEventPayload, allows ref struct
    {
        var output = CountingPipeWriter.Rent(_output);
        try
        {
            payload.Write(output);
            metrics.Written(payload.EventCount, output.Count);
        }
        finally
        {
            output.Return();
        }
    }

    // With the gate held. What a flush that does not complete at once leaves waiting is all that a stream holds: the next write waits for it.
    private ValueTask<FlushResult> BeginFlush(CancellationToken cancellationToken)
    {
        if (_backlog is not null)
            _unflushed = _output.CanGetUnflushedBytes ? _output.UnflushedBytes : 0;
        return _output.FlushAsync(cancellationToken);
    }

    // A client that reads slower than events come makes many flushes wait, and HTTP/2 makes one in five: their state is reused.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(ValueTask<FlushResult> flush)
    {
        var waiting = _backlog is not null && !flush.IsCompleted ? _unflushed : 0;
        if (waiting > 0)
            _backlog!.OnBacklogChanged(waiting);
        FlushResult result;
        try
        {
            result = await flush.ConfigureAwait(false);
        }
        catch
        {
            _gate.Exit();
            throw;
        }
        finally
        {
            if (waiting > 0)
                _backlog!.OnBacklogChanged(-waiting);
        }

        Finish(result);
    }

    private void Finish(FlushResult result)
    {
        _gate.Exit();

        // Kestrel lets writes to a connection that has gone succeed; this is how it tells.
        if (result.IsCompleted)
            Close();
    }

    private async Task FinishHeartbeatAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            await FinishAsync(flush).ConfigureAwait(false);
        }
        catch (Exception)
        {
            Close();
        }
    }

    private void ThrowIfClosed()
    {
        if (_isClosed)
            throw new OperationCanceledException("The event stream has ended.", Closed);
    }
}
