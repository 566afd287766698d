using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// A transport over a stream. A pending read is never cancelled: some streams (measured: the 101 stream of SocketsHttpHandler)
/// answer a cancelled read by disposing the connection.
/// </summary>
/// <param name="stream">The stream.</param>
/// <param name="leaveOpen">Whether the stream stays open at the end.</param>
/// <param name="flushes">Whether writes need a flush.</param>
/// <param name="owner">Ends the stream at once; <see langword="null"/> where disposing it does.</param>
/// <param name="isReadEndedByOwner">Whether the owner of a stream that stays open ends a pending read by itself.</param>
/// <param name="peerGone">
/// Cancelled once the peer is gone, for a stream that then takes what is written and drops it (Kestrel's): nothing else would tell a
/// handler that only sends.
/// </param>
internal class StreamTransport(
    Stream stream, bool leaveOpen, bool flushes, IAbortable? owner = null, bool isReadEndedByOwner = false, CancellationToken peerGone = default) : WebSocketTransport
{
    // Never disposed: it has neither a timer nor a wait handle.
    private readonly CancellationTokenSource? _aborted = owner is null ? new CancellationTokenSource() : null;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _write;

    protected Stream Stream => stream;

    public override bool ReadsIntoBuffer => true;

    public override bool BeginRead(Memory<byte> destination)
    {
        _read = stream.ReadAsync(destination).ConfigureAwait(false).GetAwaiter();
        return _read.IsCompleted;
    }

    public override void OnReadCompleted(Action continuation) => _read.UnsafeOnCompleted(continuation);

    public override int EndRead(Span<byte> destination, int masked, uint maskingKey)
    {
        var count = _read.GetResult();
        var head = Math.Min(masked, count);
        if (head > 0)
            WebSocketMask.Apply(destination[..head], maskingKey);
        return count;
    }

    public override bool IsReadEndedByOwner => isReadEndedByOwner;

    public override bool TryInterruptRead() => false;

    public override bool BeginWrite(ReadOnlyMemory<byte> source)
    {
        var aborted = _aborted?.Token ?? CancellationToken.None;
        var write = stream.WriteAsync(source, aborted);
        if (flushes)
        {
            if (write.IsCompletedSuccessfully)
            {
                write.GetAwaiter().GetResult();
                write = new ValueTask(stream.FlushAsync(aborted));
            }
            else
            {
                write = FlushAfterAsync(write, stream, aborted);
            }
        }

        _write = write.ConfigureAwait(false).GetAwaiter();
        return _write.IsCompleted;
    }

    public override void OnWriteCompleted(Action continuation) => _write.UnsafeOnCompleted(continuation);

    public override void EndWrite()
    {
        _write.GetResult();
        if (peerGone.IsCancellationRequested)
            throw new IOException("The peer is gone: the server has aborted the request.");
    }

    public override void Abort()
    {
        if (owner is not null)
        {
            owner.Abort();
            return;
        }

        // A pending write first. Disposed under one, SocketsHttpHandler's stream over HTTP/2 goes on with it after its END_STREAM, for
        // which the server ends the connection with all that share it (RFC 9113 §5.1), or leaves it pending for ever.
        try
        {
            _aborted!.Cancel();
        }
        finally
        {
            stream.Dispose();
        }
    }

    public override ValueTask CloseAsync() => leaveOpen ? default : stream.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask FlushAfterAsync(ValueTask write, Stream stream, CancellationToken aborted)
    {
        await write.ConfigureAwait(false);
        await stream.FlushAsync(aborted).ConfigureAwait(false);
    }
}
