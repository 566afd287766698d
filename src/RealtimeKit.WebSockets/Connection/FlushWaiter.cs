using System.Threading.Tasks.Sources;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Waits until everything that was accepted up to some moment has been written to the transport. Can be used again, by one at a time, and
/// allocates nothing then: what a subscriber that gets batch after batch keeps.
/// </summary>
internal sealed class FlushWaiter : IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<bool> _source;
    private Exception? _error;

    /// <summary>How many bytes the connection must have written.</summary>
    public long Target { get; private set; }

    // Link of the connection's list.
    public FlushWaiter? Next { get; set; }

    public ValueTask Begin(long target)
    {
        Target = target;
        _error = null;
        _source.Reset();
        return new ValueTask(this, _source.Version);
    }

    /// <summary>Completes it; whoever waits goes on here, or on the pool where this thread has other things to do.</summary>
    public void Complete(Exception? error, bool onPool)
    {
        _error = error;
        if (onPool)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            Execute();
    }

    public void Execute()
    {
        if (_error is not null)
            _source.SetException(_error);
        else
            _source.SetResult(true);
    }

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token) => _source.GetResult(token);
}
