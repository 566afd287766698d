using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics;

namespace RealtimeKit.Tests;

/// <summary>
/// A pool that knows its arrays: it tells of one that is returned twice, was never rented here, is written to after it was returned, or does
/// not come back. What is returned is overwritten, so that who reads on reads nonsense, and rests before it is rented again.
/// </summary>
/// <remarks>Arrays are longer than a power of two: nobody may count on a length, and none is kept as if it were a usual one.</remarks>
internal sealed class CheckingPool(bool capturesStacks) : ArrayPool<byte>
{
    private const byte Poison = 0xDB;
    private const int Extra = 8;
    private const int Resting = 256;
    private const long RestingBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<byte[], StackTrace?> _rented = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<byte[], Stay> _resting = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentQueue<byte[]>[] _free = [.. Enumerable.Range(0, 32).Select(_ => new ConcurrentQueue<byte[]>())];
    private readonly ConcurrentQueue<string> _problems = new();
    private long _rents;
    private long _returns;
    private long _abandoned;

    public long Rents => Volatile.Read(ref _rents);

    public long Returns => Volatile.Read(ref _returns);

    /// <summary>Arrays left to the garbage collector on purpose, because somebody may still be reading them.</summary>
    public long AbandonedCount => Volatile.Read(ref _abandoned);

    /// <summary>Arrays that are rented now.</summary>
    public int Outstanding => _rented.Count;

    /// <summary>Makes it the pool of all packages of this process; before anything was rented.</summary>
    public static CheckingPool Install(bool capturesStacks)
    {
        var pool = new CheckingPool(capturesStacks);
        AppContext.SetData("RealtimeKit.BufferPool", pool);
        AppContext.SetData("RealtimeKit.BufferPool.Abandoned", (Action<byte[]>)pool.Abandon);
        return pool;
    }

    public override byte[] Rent(int minimumLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimumLength);
        Interlocked.Increment(ref _rents);
        var bucket = BitOperations.Log2((uint)Math.Max(minimumLength, 16) - 1) + 1;
        var free = _free[bucket];
        byte[]? array = null;
        if (free.Count > Math.Min(Resting, RestingBytes >> bucket) && free.TryDequeue(out array))
        {
            Check(array);
            _resting.TryRemove(array, out _);
        }

        array ??= new byte[(1L << bucket) + Extra];
        _rented[array] = capturesStacks ? new StackTrace(1) : null;
        return array;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        Interlocked.Increment(ref _returns);
        if (!_rented.TryRemove(array, out var renter))
        {
            var before = _resting.TryGetValue(array, out var stay) ? $"twice, {stay}" : "but was not rented here";
            _problems.Enqueue($"An array of {array.Length} bytes was returned {before}\nNow by\n{new StackTrace(1)}");
            return;
        }

        array.AsSpan().Fill(Poison);
        _resting[array] = new Stay(renter, capturesStacks ? new StackTrace(1) : null);
        var bucket = BitOperations.Log2((uint)array.Length);
        if (_free[bucket].Count < 2 * Math.Min(Resting, RestingBytes >> bucket) + 2)
            _free[bucket].Enqueue(array);
        else
            _resting.TryRemove(array, out _);
    }

    public void Abandon(byte[] array)
    {
        Interlocked.Increment(ref _abandoned);
        if (!_rented.TryRemove(array, out _))
            _problems.Enqueue($"An array of {array.Length} bytes was abandoned that was not rented:\n{new StackTrace(1)}");
    }

    /// <summary>What was done wrong so far, writes to what rests included.</summary>
    public IReadOnlyList<string> FindMisuse()
    {
        foreach (var bucket in _free)
        {
            // Each is taken out for the time of its check: a renter must not get it meanwhile.
            for (var count = bucket.Count; count > 0 && bucket.TryDequeue(out var array); count--)
            {
                Check(array);
                bucket.Enqueue(array);
            }
        }

        return [.. _problems];
    }

    /// <summary>Checks what rests, and leaves it to the collector: what a heap holds that is measured now is not this pool's.</summary>
    public void Rest()
    {
        foreach (var bucket in _free)
        {
            while (bucket.TryDequeue(out var array))
            {
                Check(array);
                _resting.TryRemove(array, out _);
            }
        }
    }

    /// <summary>Who has rented what is out now.</summary>
    public IReadOnlyList<string> FindOutstanding() => [.. _rented.Select(pair => $"An array of {pair.Key.Length} bytes is out, rented by:\n{pair.Value}")];

    /// <summary>Forgets all that is out and was done wrong, so that one finding is told once.</summary>
    public void Forget()
    {
        _rented.Clear();
        _problems.Clear();
    }

    private void Check(byte[] array)
    {
        var at = array.AsSpan().IndexOfAnyExcept(Poison);
        if (at < 0)
            return;
        _problems.Enqueue($"An array of {array.Length} bytes was written to at {at} after it was returned, {_resting.GetValueOrDefault(array)}");
        array.AsSpan().Fill(Poison);
    }

    private readonly record struct Stay(StackTrace? Renter, StackTrace? Returner)
    {
        public override string ToString() => $"rented by\n{Renter}and returned by\n{Returner}";
    }
}
