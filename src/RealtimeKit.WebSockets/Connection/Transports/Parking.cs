using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets;

/// <summary>
/// Where an asynchronous loop waits for its next piece of work. A loop that awaits is the one kind of continuation that pipes and
/// the thread pool queue without allocating, so a pending read is awaited by a loop and not by a callback.
/// </summary>
internal sealed class Parking : ICriticalNotifyCompletion
{
    private Action? _parked;

    public bool IsCompleted => false;

    public Parking GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => _parked = continuation;

    public void UnsafeOnCompleted(Action continuation) => _parked = continuation;

    /// <summary>Lets the parked loop run, on this thread, until it awaits something else.</summary>
    public void Resume() => _parked!();
}
