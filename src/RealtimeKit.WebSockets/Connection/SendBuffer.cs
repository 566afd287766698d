namespace RealtimeKit.WebSockets;

/// <summary>Frames that were accepted and not yet handed to the transport; it holds no memory while it is empty.</summary>
internal struct SendBuffer
{
#if DEBUG
    private const int SmallestSize = 16;
#else
    private const int SmallestSize = 4096;
#endif

    // Most writes complete at once, and their buffer is free again before the thread does anything else.
    [ThreadStatic]
    private static byte[]? _spare;

    private byte[]? _array;
    private int _count;

    public readonly int Count => _count;

    /// <summary>How large the memory is that it holds.</summary>
    public readonly int Capacity => _array?.Length ?? 0;

    /// <summary>Makes room at the end, which belongs to the caller.</summary>
    public Span<byte> Append(int size)
    {
        var start = _count;
        if (_array is null || _array.Length - start < size)
            Grow(size);
        _count = start + size;
        return _array.AsSpan(start, size);
    }

    /// <summary>Drops what was appended after the first bytes, so many.</summary>
    public void Truncate(int count)
    {
        if (count == 0)
            Clear();
        else
            _count = count;
    }

    /// <summary>Gives the bytes and their array away.</summary>
    public ArraySegment<byte> Detach()
    {
        var segment = new ArraySegment<byte>(_array ?? [], 0, _count);
        _array = null;
        _count = 0;
        return segment;
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Return(Detach());

    public static void Return(ArraySegment<byte> segment)
    {
        if (segment.Array is not { Length: > 0 } array)
            return;
        if (array.Length == SmallestSize && _spare is null)
            _spare = array;
        else
            BufferPool.Return(array);
    }

    private void Grow(int size)
    {
        if (_array is null && size <= SmallestSize && _spare is { } spare)
        {
            _spare = null;
            _array = spare;
            return;
        }

        var needed = _count + (long)size;
        var capacity = Math.Max(Math.Max(needed, SmallestSize), Math.Min((_array?.Length ?? 0) * 2L, Array.MaxLength));
        var larger = BufferPool.Rent(checked((int)capacity));
        if (_array is not null)
        {
            _array.AsSpan(0, _count).CopyTo(larger);
            BufferPool.Return(_array);
        }

        _array = larger;
    }
}
