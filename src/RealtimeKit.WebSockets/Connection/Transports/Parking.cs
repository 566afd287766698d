using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Where an asynchronous loop waits for its next piece of work. A loop that awaits is the one kind of continuation that pipes and
/// the thread pool queue without allocating, so a pending read is awaited by a loop and not by a callback.
/// </summary>
/// <remarks>
/// Work that comes while the loop still runs (usually on the same thread, further up the stack) waits until it parks again; if what
/// it runs blocks, somebody else may take the work over.
/// </remarks>
internal sealed class Parking : ICriticalNotifyCompletion
{
    private const int Running = 0;
    private const int RunningWithWork = 1;
    private const int Parked = 2;

    private int _state;
    private Action? _continuation;

    /// <summary>Whether work came while the loop was running; it is taken by asking.</summary>
    public bool IsCompleted => TryTakeOver();

    public Parking GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        _continuation = continuation;
        while (Interlocked.CompareExchange(ref _state, Parked, Running) != Running)
        {
            // Somebody may take the work over at this very moment: only one of us runs it.
            if (!TryTakeOver())
                continue;
            continuation();
            return;
        }
    }

    /// <summary>There is work: a parked loop runs now, on this thread, until it awaits something else.</summary>
    public void Resume()
    {
        if (Interlocked.CompareExchange(ref _state, RunningWithWork, Running) == Running)
            return;
        _state = Running;
        _continuation!();
    }

    /// <summary>Takes work over that a running loop has not come to.</summary>
    public bool TryTakeOver() => Interlocked.CompareExchange(ref _state, Running, RunningWithWork) == RunningWithWork;
}
