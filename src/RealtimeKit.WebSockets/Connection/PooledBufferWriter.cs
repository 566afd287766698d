using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>A growing buffer over pooled memory, itself reused by the thread that returned it last.</summary>
internal sealed class PooledBufferWriter : IBufferWriter<byte>
{
    // In DEBUG builds the buffer starts tiny, so that the tests grow it all the time.
#if DEBUG
    private const int InitialSize = 16;
#else
    private const int InitialSize = 1024;
#endif

    // A send may run what waits for it, which sends again, before the first one returns its writer.
    private const int MaxCached = 4;

    [ThreadStatic]
    private static PooledBufferWriter? _cached;

    private PooledBufferWriter? _next;
    private int _cachedCount;
    private byte[] _buffer = [];
    private int _written;

    private PooledBufferWriter()
    {
    }

    public int WrittenCount => _written;

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _written);

    /// <summary>Takes one of the thread's writers, or a new one while they are in use.</summary>
    public static PooledBufferWriter Rent()
    {
        if (_cached is not { } writer)
            return new PooledBufferWriter();
        _cached = writer._next;
        writer._next = null;
        return writer;
    }

    /// <summary>Gives the memory back to the pool and the writer to the thread.</summary>
    public void Return()
    {
        Clear();
        _cachedCount = (_cached?._cachedCount ?? 0) + 1;
        if (_cachedCount > MaxCached)
            return;
        _next = _cached;
        _cached = this;
    }

    /// <summary>Gives all back when a send that uses the memory is over.</summary>
    public async ValueTask ReturnAfterAsync(ValueTask send)
    {
        try
        {
            await send.ConfigureAwait(false);
        }
        finally
        {
            Return();
        }
    }

    /// <summary>Gives the memory back to the pool.</summary>
    public void Clear()
    {
        var buffer = _buffer;
        _buffer = [];
        _written = 0;
        if (buffer.Length > 0)
            BufferPool.Return(buffer);
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _written);
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsSpan(_written);
    }

    private void EnsureRoom(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        sizeHint = Math.Max(sizeHint, 1);
        if (_buffer.Length - _written < sizeHint)
            Grow(sizeHint);
    }

    private void Grow(int sizeHint)
    {
        var size = Math.Max(Math.Max((long)_buffer.Length * 2, InitialSize), (long)_written + sizeHint);
        var larger = BufferPool.Rent(checked((int)Math.Min(size, Math.Max(Array.MaxLength, (long)_written + sizeHint))));
        _buffer.AsSpan(0, _written).CopyTo(larger);
        if (_buffer.Length > 0)
            BufferPool.Return(_buffer);
        _buffer = larger;
    }
}
