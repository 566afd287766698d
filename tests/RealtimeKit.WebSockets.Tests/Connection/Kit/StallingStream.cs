namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Writes wait until they are released; what has been written stays in memory.</summary>
internal sealed class StallingStream(Stream inner) : WrappingStream(inner)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _stall;
    private TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a write has met the stall.</summary>
    public Task Stalled
    {
        get
        {
            lock (_lock)
                return _begun.Task;
        }
    }

    public void Stall()
    {
        lock (_lock)
        {
            _stall ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_begun.Task.IsCompleted)
                _begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Release(Exception? error = null)
    {
        TaskCompletionSource? stall;
        lock (_lock)
        {
            stall = _stall;
            _stall = null;
        }

        if (error is null)
            stall?.TrySetResult();
        else
            stall?.TrySetException(error);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Task? stall;
        lock (_lock)
        {
            stall = _stall?.Task;
            if (stall is not null)
                _begun.TrySetResult();
        }

        if (stall is not null)
            await stall;
        await base.WriteAsync(buffer, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        Release(new IOException("Disposed by the test's connection."));
        base.Dispose(disposing);
    }
}
