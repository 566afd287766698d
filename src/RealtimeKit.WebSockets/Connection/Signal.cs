namespace RealtimeKit.WebSockets;

/// <summary>An event that happens once and may be awaited; it allocates only for those who wait before it has happened.</summary>
internal struct Signal
{
    private static readonly object Happened = new();
    private object? _state;

    public readonly bool IsSet => ReferenceEquals(Volatile.Read(in _state), Happened);

    public Task WaitAsync()
    {
        var state = Volatile.Read(ref _state);
        if (state is null)
        {
            var created = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            state = Interlocked.CompareExchange(ref _state, created, null) ?? created;
        }

        return state is TaskCompletionSource source ? source.Task : Task.CompletedTask;
    }

    public void Set() => (Interlocked.Exchange(ref _state, Happened) as TaskCompletionSource)?.TrySetResult();
}
