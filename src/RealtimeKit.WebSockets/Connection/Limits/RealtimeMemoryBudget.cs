using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The memory that the peers of many connections may hold together: what has arrived and is not consumed, what waits to be sent, and the
/// windows of compression. Once it is used up, the connections that hold most are closed, with 1013 where they still take a Close frame and
/// at once where they do not, until the rest is below the low-water mark. Give one to all endpoints of a process: their event streams count
/// too, with what was written to them and their clients have not taken, and are cut off for it.
/// </summary>
/// <remarks>
/// It counts the connections' own buffers, as large as they are rented, to within 8 KiB for each connection; what the host and the kernel
/// buffer in front of them has limits of its own. Counting costs nothing while buffers stay small. Connections are looked through only while
/// the budget is exceeded, by one worker.
/// </remarks>
public sealed class RealtimeMemoryBudget
{
    // How long those that were told to go are given before more are looked for.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly LinkedList<IMemoryHolder> _holders = new();
    private long _retained;
    private long _shed;
    private int _isShedding;

    /// <summary>Creates a budget with a low-water mark of four fifths.</summary>
    /// <param name="maxBytes">How much may be held, in bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 MiB.</exception>
    public RealtimeMemoryBudget(long maxBytes)
        : this(maxBytes, maxBytes / 5 * 4)
    {
    }

    /// <summary>Creates a budget.</summary>
    /// <param name="maxBytes">How much may be held, in bytes.</param>
    /// <param name="lowWaterBytes">How much may be left once connections have been closed for it, in bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxBytes"/> is below 1 MiB, or the mark is negative or above it.</exception>
    public RealtimeMemoryBudget(long maxBytes, long lowWaterBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1 << 20);
        ArgumentOutOfRangeException.ThrowIfNegative(lowWaterBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lowWaterBytes, maxBytes);
        MaxBytes = maxBytes;
        LowWaterBytes = lowWaterBytes;
    }

    /// <summary>How much may be held, in bytes.</summary>
    public long MaxBytes { get; }

    /// <summary>How much may be left once connections have been closed for it, in bytes.</summary>
    public long LowWaterBytes { get; }

    /// <summary>How much is held now, in bytes, to within 8 KiB for each connection.</summary>
    public long RetainedBytes => Volatile.Read(ref _retained);

    /// <summary>How many connections were closed for it so far.</summary>
    public long ShedConnections => Volatile.Read(ref _shed);

    internal LinkedListNode<IMemoryHolder> Add(IMemoryHolder holder)
    {
        lock (_holders)
            return _holders.AddLast(holder);
    }

    internal void Remove(LinkedListNode<IMemoryHolder> holder)
    {
        lock (_holders)
            _holders.Remove(holder);
    }

    /// <summary>Under any gate: looks at no connection here.</summary>
    internal void Adjust(long change)
    {
        if (Interlocked.Add(ref _retained, change) > MaxBytes && change > 0 && Interlocked.Exchange(ref _isShedding, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static budget => _ = budget.ShedAsync(), this, preferLocal: false);
    }

    private async Task ShedAsync()
    {
        do
        {
            while (RetainedBytes > MaxBytes)
            {
                ShedHeaviest();
                await Task.Delay(Pause).ConfigureAwait(false);
            }

            Volatile.Write(ref _isShedding, 0);

            // Whoever went over the budget in between has found the worker at work.
        }
        while (RetainedBytes > MaxBytes && Interlocked.Exchange(ref _isShedding, 1) == 0);
    }

    private void ShedHeaviest()
    {
        var holders = List(out var count);
        var held = ArrayPool<long>.Shared.Rent(count);
        var total = 0L;
        for (var i = 0; i < count; i++)
        {
            // What is ending will be gone. It must not cost others their place.
            held[i] = holders[i].IsEnding ? 0 : holders[i].RetainedBytes;
            total += held[i];
        }

        if (total > LowWaterBytes)
        {
            Array.Sort(held, holders, 0, count);
            for (var i = count - 1; i >= 0 && held[i] > 0 && total > LowWaterBytes; i--)
            {
                total -= held[i];
                Interlocked.Increment(ref _shed);
                holders[i].Shed();
            }
        }

        ArrayPool<long>.Shared.Return(held);
        ArrayPool<IMemoryHolder>.Shared.Return(holders, clearArray: true);
    }

    private IMemoryHolder[] List(out int count)
    {
        lock (_holders)
        {
            var holders = ArrayPool<IMemoryHolder>.Shared.Rent(_holders.Count);
            count = _holders.Count;
            _holders.CopyTo(holders, 0);
            return holders;
        }
    }
}
