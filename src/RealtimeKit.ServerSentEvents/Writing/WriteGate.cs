namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// Lets one writer in at a time, in order, and may be held across awaits. Free, it costs one atomic operation to enter and one to leave,
/// a fraction of a semaphore's, and no object; whoever finds it taken waits in a queue and is handed it.
/// </summary>
internal struct WriteGate
{
    private const int Free = 0;
    private const int Held = 1;
    private const int HeldMaybeAwaited = 2;

    private int _state;
    private Queue<TaskCompletionSource>? _waiters;

    public readonly bool IsHeld => Volatile.Read(in _state) != Free;

    public bool TryEnter() => Interlocked.CompareExchange(ref _state, Held, Free) == Free;

    public Task EnterAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        if (TryEnter())
            return Task.CompletedTask;

        var waiters = Volatile.Read(ref _waiters);
        if (waiters is null)
        {
            var created = new Queue<TaskCompletionSource>();
            waiters = Interlocked.CompareExchange(ref _waiters, created, null) ?? created;
        }

        TaskCompletionSource waiter;
        lock (waiters)
        {
            // Whoever leaves from here on comes to the queue; whoever left just before has left the gate to this caller.
            if (Interlocked.Exchange(ref _state, HeldMaybeAwaited) == Free)
                return Task.CompletedTask;
            waiters.Enqueue(waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        return cancellationToken.CanBeCanceled ? WaitAsync(waiter, cancellationToken) : waiter.Task;
    }

    public void Exit()
    {
        if (Interlocked.CompareExchange(ref _state, Free, Held) != Held)
            HandOver();
    }

    private static async Task WaitAsync(TaskCompletionSource waiter, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (waiter, token) => ((TaskCompletionSource)waiter!).TrySetCanceled(token), waiter))
            await waiter.Task.ConfigureAwait(false);
    }

    private void HandOver()
    {
        var waiters = _waiters!;
        lock (waiters)
        {
            // Those that were cancelled meanwhile are passed over.
            while (waiters.TryDequeue(out var waiter))
                if (waiter.TrySetResult())
                    return;
            Volatile.Write(ref _state, Free);
        }
    }
}
