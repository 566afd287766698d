using System.IO.Pipelines;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Two pipes joined crosswise.</summary>
internal static class Pipes
{
    public static (IDuplexPipe Own, IDuplexPipe Peer) CreatePair(PipeOptions? options = null)
    {
        options ??= new PipeOptions(useSynchronizationContext: false);
        var toOwn = new Pipe(options);
        var toPeer = new Pipe(options);
        return (new DuplexPipe(toOwn.Reader, toPeer.Writer), new DuplexPipe(toPeer.Reader, toOwn.Writer));
    }

    /// <summary>Both directions as one stream; a read that is asked for no bytes waits for some.</summary>
    public static Stream AsStream(this IDuplexPipe pipe) => new DuplexStream(pipe);

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    private sealed class DuplexStream(IDuplexPipe pipe) : WrappingStream(Null)
    {
        private readonly Stream _input = pipe.Input.AsStream();
        private readonly Stream _output = pipe.Output.AsStream();
        private readonly Lock _lock = new();
        private bool _isReading;
        private bool _isDisposed;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                _isReading = true;
            }

            try
            {
                if (!buffer.IsEmpty)
                    return await _input.ReadAsync(buffer, cancellationToken);
                var result = await pipe.Input.ReadAsync(cancellationToken);
                pipe.Input.AdvanceTo(result.Buffer.Start);
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return 0;
            }
            finally
            {
                lock (_lock)
                {
                    _isReading = false;
                    if (_isDisposed)
                        pipe.Input.Complete();
                }
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _output.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        // As of a socket: what is pending ends, the other side sees the end of the stream, and its writes go nowhere.
        protected override void Dispose(bool disposing)
        {
            lock (_lock)
            {
                if (!_isDisposed)
                {
                    _isDisposed = true;
                    pipe.Output.CancelPendingFlush();
                    pipe.Input.CancelPendingRead();
                    pipe.Output.Complete();
                    if (!_isReading)
                        pipe.Input.Complete();
                }
            }

            base.Dispose(disposing);
        }
    }
}
