using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>A transport over a pair of pipes. Payload is unmasked on its way out of the pipe: one pass instead of two.</summary>
/// <param name="pipe">The pipes.</param>
/// <param name="leaveOpen">Whether the pipes stay open at the end.</param>
/// <param name="owner">Ends the pipes at once; <see langword="null"/> where completing them does.</param>
/// <param name="peerGone">Cancelled once the peer is gone, for pipes that then take what is written and drop it (Kestrel's with TLS).</param>
internal sealed class PipeTransport(IDuplexPipe pipe, bool leaveOpen, IAbortable? owner = null, CancellationToken peerGone = default) : WebSocketTransport
{
    private readonly PipeReader _reader = pipe.Input;
    private readonly PipeWriter _writer = pipe.Output;
    private ValueTask<ReadResult> _read;
    private Parking? _reads;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _write;

    public override bool ReadsIntoBuffer => false;

    public override bool BeginRead(Memory<byte> destination)
    {
        _read = _reader.ReadAsync();
        return _read.IsCompleted;
    }

    public override void OnReadCompleted(Action continuation)
    {
        if (_reads is null)
            _ = AwaitReadsAsync(_reads = new Parking(), continuation);
        _reads.Resume();
    }

    public override int EndRead(Span<byte> destination, int masked, uint maskingKey)
    {
        var result = _read.GetAwaiter().GetResult();
        var buffer = result.Buffer;
        if (buffer.IsEmpty)
        {
            _reader.AdvanceTo(buffer.End);
            // Kestrel cancels the read when the host begins to stop; the connection goes on until it is drained.
            return result.IsCompleted ? 0 : Interrupted;
        }

        var total = (int)Math.Min(buffer.Length, destination.Length);
        if (total < buffer.Length)
            buffer = buffer.Slice(0, total);
        masked = Math.Min(masked, total);
        foreach (var segment in buffer)
        {
            var source = segment.Span;
            var head = Math.Min(masked, source.Length);
            if (head > 0)
            {
                maskingKey = WebSocketMask.Apply(source[..head], destination, maskingKey);
                masked -= head;
            }

            source[head..].CopyTo(destination[head..]);
            destination = destination[source.Length..];
        }

        _reader.AdvanceTo(buffer.End);
        return total;
    }

    public override void OnReadOverdue(Action continuation)
    {
        if (_reads is null || !_reads.TryTakeOver())
            return;
        _reads = null;   // the blocked loop is left behind: the reads after this one must not wait for it either
        _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(continuation);
    }

    // Runs for the connection's life, one pending read after the other; once nobody resumes it any more, it is garbage.
    private async Task AwaitReadsAsync(Parking reads, Action completed)
    {
        while (true)
        {
            await reads;
            ValueTask<ReadResult> read;
            try
            {
                read = new ValueTask<ReadResult>(await _read.ConfigureAwait(false));
            }
            catch (Exception error)
            {
                read = ValueTask.FromException<ReadResult>(error);
            }

            _read = read;
            completed();
        }
    }

    public override bool TryInterruptRead()
    {
        _reader.CancelPendingRead();
        return true;
    }

    public override bool BeginWrite(ReadOnlyMemory<byte> source)
    {
        _write = _writer.WriteAsync(source).ConfigureAwait(false).GetAwaiter();
        return _write.IsCompleted;
    }

    public override void OnWriteCompleted(Action continuation) => _write.UnsafeOnCompleted(continuation);

    public override void EndWrite()
    {
        // A completed reader means that the peer is gone; on Kestrel this shows earlier than RequestAborted.
        if (_write.GetResult().IsCompleted || peerGone.IsCancellationRequested)
            throw new IOException("The peer no longer reads: the other end of the pipe has completed.");
    }

    public override void Abort()
    {
        owner?.Abort();
        if (leaveOpen)
        {
            try
            {
                _reader.CancelPendingRead();
                _writer.CancelPendingFlush();
            }
            catch (ObjectDisposedException)
            {
                // Their owner has ended them meanwhile.
            }
        }
        else
        {
            var error = new IOException("The WebSocket connection was aborted.");
            _writer.CancelPendingFlush();
            _reader.CancelPendingRead();
            _writer.Complete(error);
        }
    }

    public override async ValueTask CloseAsync()
    {
        if (leaveOpen)
            return;
        await _writer.CompleteAsync().ConfigureAwait(false);
        await _reader.CompleteAsync().ConfigureAwait(false);
    }
}
