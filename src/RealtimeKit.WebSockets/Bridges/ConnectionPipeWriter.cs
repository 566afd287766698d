using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>Sends each flush as one binary message.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no wait handle: there is nothing to dispose.")]
internal sealed class ConnectionPipeWriter(CodecWebSocketConnection connection) : PipeWriter
{
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _flushLock = new();
    private PooledBufferWriter? _buffer;
    private CancellationTokenSource _flushCancellation = new();
    private TaskCompletionSource? _flushEnded;   // only while the completion waits for a flush
    private bool _isFlushing;
    private bool _nextFlushIsCanceled;
    private bool _isCompleted;

    /// <summary>Completes when the writer has been completed and its closing handshake is over.</summary>
    public Task Completed => _completed.Task;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _buffer?.WrittenCount ?? 0;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Buffer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => Buffer.GetSpan(sizeHint);

    public override void Advance(int bytes) => Buffer.Advance(bytes);

    private PooledBufferWriter Buffer
    {
        get
        {
            if (_isCompleted)
                throw new InvalidOperationException("The output has been completed.");
            if (_isFlushing)
                throw FlushIsPending();
            return _buffer ??= PooledBufferWriter.Rent();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CancellationToken canceled;
        lock (_flushLock)
        {
            if (_nextFlushIsCanceled)
            {
                _nextFlushIsCanceled = false;
                return new FlushResult(isCanceled: true, isCompleted: false);
            }

            if (_isFlushing)
                throw FlushIsPending();
            // What a completion has found unflushed it sends itself.
            _isFlushing = !_isCompleted && UnflushedBytes > 0 && connection.CloseResult is null;
            if (!_isFlushing)
                return new FlushResult(isCanceled: false, isCompleted: connection.CloseResult is not null);
            canceled = _flushCancellation.Token;
        }

        var isSent = false;
        try
        {
            // Where there is no room the message waits for some; a cancelled wait leaves the bytes to the next flush.
            using (cancellationToken.UnsafeRegister(static writer => ((ConnectionPipeWriter)writer!).CancelPendingFlush(), this))
                await connection.SendAsync(_buffer!.WrittenMemory, WebSocketMessageType.Binary, canceled).ConfigureAwait(false);
            isSent = true;
            return default;
        }
        catch (WebSocketException)
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new FlushResult(isCanceled: true, isCompleted: false);
        }
        finally
        {
            EndFlush(isSent);
        }
    }

    public override void CancelPendingFlush()
    {
        lock (_flushLock)
        {
            if (_isFlushing)
                _flushCancellation.CancelAsync();
            else
                _nextFlushIsCanceled = true;
        }
    }

    public override void Complete(Exception? exception = null) => _ = CompleteAsync(exception).AsTask();

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        var flushed = Task.CompletedTask;
        lock (_flushLock)
        {
            if (_isCompleted)
                return;
            _isCompleted = true;
            if (_isFlushing)
            {
                _flushEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                flushed = _flushEnded.Task;
                if (exception is not null)
                    _ = _flushCancellation.CancelAsync();   // what waits is not to be sent any more
            }
        }

        // A flush that waits for room has taken the buffer. Only where it is cancelled bytes are left to this.
        await flushed.ConfigureAwait(false);
        try
        {
            if (exception is null && UnflushedBytes > 0)
                await connection.SendAsync(_buffer!.WrittenMemory, WebSocketMessageType.Binary).ConfigureAwait(false);
            var status = exception is null ? WebSocketCloseStatus.NormalClosure : WebSocketCloseStatus.InternalServerError;
            await connection.CloseAsync(status).ConfigureAwait(false);
        }
        catch (WebSocketException)
        {
            // The connection has ended before, and its input says how.
        }
        finally
        {
            ReturnBuffer();
            _completed.TrySetResult();
        }
    }

    private void EndFlush(bool isSent)
    {
        lock (_flushLock)
        {
            if (isSent)
                ReturnBuffer();
            _isFlushing = false;
            if (_flushCancellation.IsCancellationRequested)
                _flushCancellation = new CancellationTokenSource();
            _flushEnded?.TrySetResult();
        }
    }

    private static InvalidOperationException FlushIsPending() => new("A flush is pending: it reads what was written until it has completed.");

    private void ReturnBuffer()
    {
        _buffer?.Return();
        _buffer = null;
    }
}
