using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Listener;

/// <summary>
/// A response's stream as a pipe. A client that has gone shows there as an exception, and here as it does on every other host: the flush
/// says that nobody reads any more.
/// </summary>
/// <param name="output">The response's stream.</param>
/// <param name="yields">Whether a flush gives its caller's thread back at once: the stream's writes may hold one.</param>
/// <remarks>A flush that has begun cannot be cancelled: the framework ignores the token, and the pipe must not be touched meanwhile.</remarks>
internal sealed class ResponseWriter(Stream output, bool yields) : PipeWriter
{
    private readonly PipeWriter _buffer = Create(output, new StreamPipeWriterOptions(leaveOpen: true));
    private bool _hasStarted;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _buffer.UnflushedBytes;

    public override void Advance(int bytes) => _buffer.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _buffer.GetSpan(sizeHint);

    public override void CancelPendingFlush() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null) => _buffer.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_hasStarted)
        {
            // The headers leave with the first byte of the body. An empty line is none of any event.
            _hasStarted = true;
            if (_buffer.UnflushedBytes == 0)
            {
                _buffer.GetSpan(1)[0] = (byte)'\n';
                _buffer.Advance(1);
            }
        }

        try
        {
            if (yields)
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return await _buffer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Of several types, after an abort from elsewhere too. All mean that this connection is over.
        catch (Exception)
#pragma warning restore CA1031
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
    }
}
