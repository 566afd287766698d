using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Where an asynchronous loop waits for its next piece of work. A loop that awaits is the one kind of continuation that pipes and
/// the thread pool queue without allocating, so a pending read is awaited by a loop and not by a callback.
/// </summary>
/// <remarks>The next work may come from the loop itself, or from another thread, before the loop has parked again.</remarks>
internal sealed class Parking : ICriticalNotifyCompletion
{
    private const int OnTheWay = 0;
    private const int Parked = 1;
    private const int Resumed = 2;

    private int _state;
    private Action? _loop;

    public bool IsCompleted => Interlocked.CompareExchange(ref _state, OnTheWay, Resumed) == Resumed;

    public Parking GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        _loop = continuation;
        if (Interlocked.CompareExchange(ref _state, Parked, OnTheWay) == OnTheWay)
            return;
        Volatile.Write(ref _state, OnTheWay);
        continuation();
    }

    /// <summary>Lets the parked loop run, on this thread, until it awaits something else; one on its way goes on when it gets here.</summary>
    public void Resume()
    {
        if (Interlocked.CompareExchange(ref _state, OnTheWay, Parked) == Parked)
            _loop!();
        else if (Interlocked.Exchange(ref _state, Resumed) == Parked)
        {
            // It has parked in between.
            Volatile.Write(ref _state, OnTheWay);
            _loop!();
        }
    }
}
