using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace RealtimeKit.ServerSentEvents;

/// <summary>A growing array from the shared pool. A field of one owner, never copied.</summary>
internal struct PooledBuffer
{
    // What an idle stream may keep; a larger array goes back as soon as its content is done with.
    private const int Kept = 4096;

    private byte[]? _array;
    private int _length;

    // The size that was last outgrown to: a stream of large events rents it at once.
    private int _usual;

    public readonly int Length => _length;

    public readonly ReadOnlySpan<byte> Span => new(_array, 0, _length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_array.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Appends what comes before the first CR or LF, or all, and returns how much that is.</summary>
    public int AppendUntilLineEnd(ReadOnlySpan<byte> bytes)
    {
        var start = _length;
        while (true)
        {
            var rest = bytes[(_length - start)..];
            if (rest.IsEmpty)
                return bytes.Length;

            // Room in steps: most of the input may be behind the line.
            Reserve(Math.Min(rest.Length, Kept));
            var room = _array.AsSpan(_length);
            var count = LineEnd.CopyUntil(rest, room);
            _length += count;
            if (count < rest.Length && count < room.Length)
                return _length - start;
        }
    }

    public void AppendLine(ReadOnlySpan<byte> line)
    {
        Reserve(line.Length + 1);
        _array![_length] = (byte)'\n';
        line.CopyTo(_array.AsSpan(_length + 1));
        _length += line.Length + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(ReadOnlySpan<byte> bytes)
    {
        _length = 0;
        if (_array is null || bytes.Length > _array.Length)
            Grow(bytes.Length);
        bytes.CopyTo(_array);
        _length = bytes.Length;
    }

    /// <summary>Sets the first bytes of a vector, where there is an array that takes all of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySet(Vector128<byte> bytes, int length)
    {
        var array = _array;
        if (array is null || array.Length < Vector128<byte>.Count)
            return false;
        bytes.CopyTo(array);
        _length = length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clear()
    {
        _length = 0;
        if (_array is { Length: > Kept })
            Release();
    }

    public void Release()
    {
        var array = _array;
        _array = null;
        _length = 0;
        if (array is not null)
            BufferPool.Return(array);
    }

    private void Reserve(int count)
    {
        if (_array is null || count > _array.Length - _length)
            Grow(count);
    }

    [MemberNotNull(nameof(_array))]
    private void Grow(int count)
    {
        var needed = (long)_length + count;
        var size = (int)Math.Min(Math.Max(needed, _array is null ? _usual : 2L * _array.Length), Array.MaxLength);
        if (needed > size)
            throw new InvalidOperationException("The limits allow more than an array can hold.");

        var larger = BufferPool.Rent(size);
        Span.CopyTo(larger);
        if (_array is not null)
            BufferPool.Return(_array);
        _array = larger;
        _usual = size;   // not what the pool has made of it: that would grow from event to event
    }
}
