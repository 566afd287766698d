namespace RealtimeKit.Fuzzing;

/// <summary>
/// Runs what is asynchronous so that an input takes the same branches each time: one step after the other, all on the pool's only thread
/// (<c>Fuzzing.csproj</c>), while the caller waits. In a process whose pool has more it does the same, in whatever order.
/// </summary>
internal static class OneThread
{
    // Looked at so many times: a process that is stopped for long loses one look only.
    private const int Looks = 8;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public static T Run<T>(Func<Task<T>> work)
    {
        var running = Task.Run(async () =>
        {
            var (thread, before) = (Environment.CurrentManagedThreadId, GC.GetAllocatedBytesForCurrentThread());
            var result = await work();

            // What Executor cannot see of what is done here.
            if (Environment.CurrentManagedThreadId == thread)
                Executor.CheckAllocated(GC.GetAllocatedBytesForCurrentThread() - before);

            // What this has queued comes first: nothing of it counts as the next input's.
            await Task.Yield();
            return result;
        });
        var looks = 1;
        while (Task.WaitAny([running], Look) < 0)
            Oracle.That(++looks <= Looks, "it never ends");
        return running.GetAwaiter().GetResult();
    }

    public static void Run(Func<Task> work) => Run(async () =>
    {
        await work();
        return true;
    });
}
