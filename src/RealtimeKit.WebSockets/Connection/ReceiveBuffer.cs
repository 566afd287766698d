using System.Buffers;
using System.Diagnostics;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The one buffer of a connection's receiving side: [ body of the message ][ gap left by headers ][ raw bytes not yet parsed ][ free ].
/// Frames are unmasked in place and a message's fragments are joined by closing the gap, so a message is contiguous and a frame
/// costs no object. The array is rented when data arrives, grows only as data arrives, and is returned when nothing is left.
/// </summary>
/// <remarks>
/// A body that is lent out is neither moved nor overwritten: when room runs out meanwhile, the raw bytes move to another array.
/// While the transport reads into the free part, nothing that moves <see cref="_rawEnd"/> may be called.
/// </remarks>
internal partial struct ReceiveBuffer
{
    // In DEBUG builds the buffer starts tiny, so that the tests grow, compact and detach it all the time.
#if DEBUG
    private const int SmallestRead = 16;
    private const int LargestRead = 64;
#else
    private const int SmallestRead = 4 * 1024;
    private const int LargestRead = 64 * 1024;
#endif

    /// <summary>From this size on, a read is not meant to take more than one message.</summary>
    public const int LargeRead = SmallestRead;

    /// <summary>
    /// The most to read of a message that is read in parts. A buffer that a whole message has made longer, or what was read ahead behind
    /// a part, is not to be filled by the next: each time it would be twice as long.
    /// </summary>
    public const int LargestPart = 2 * LargestRead;

    private byte[]? _array;
    private int _bodyStart;
    private int _bodyEnd;
    private int _rawStart;
    private int _rawEnd;
    private int _readSize;
    private int _prepared;
    private long _retained;

    private byte[]? _lentArray;
    private int _lentStart;
    private int _lentEnd;
    private bool _isLent;
    private bool _isPartLent;

    // The body of a compressed message.
    private byte[]? _inflated;
    private int _inflatedStart;
    private int _inflatedEnd;
    private bool _isInflated;
    private bool _isInflatedLent;

    /// <summary>How large the arrays are that it holds, the one that is lent out included.</summary>
    public readonly long Retained => _retained;

    /// <summary>The bytes as they came, not yet parsed.</summary>
    public readonly ReadOnlySpan<byte> Raw => _array.AsSpan(_rawStart, _rawEnd - _rawStart);

    public readonly int RawLength => _rawEnd - _rawStart;

    public readonly int BodyLength => _isInflated ? _inflatedEnd - _inflatedStart : _bodyEnd - _bodyStart;

    public readonly bool IsLent => _isLent;

    /// <summary>Whether the next byte that is read lies directly behind the body.</summary>
    public readonly bool IsReadContiguous => !_isInflated && _rawStart == _rawEnd && _bodyEnd == _rawEnd;

    /// <summary>Whether there are bytes that no receiver has seen: raw ones, or the begin of a message.</summary>
    public readonly bool HoldsUnread => RawLength > 0 || (BodyLength > 0 && !_isLent);

    public readonly ReadOnlySequence<byte> Lent => new(_lentArray ?? [], _lentStart, _lentEnd - _lentStart);

    /// <summary>Consumes a header.</summary>
    public void SkipRaw(int count)
    {
        Debug.Assert(count <= RawLength);
        _rawStart += count;
    }

    /// <summary>Unmasks a control frame's payload where it lies and gives it; it is consumed with <see cref="SkipRaw"/>.</summary>
    public readonly Span<byte> RawSpan(int offset, int count) => _array.AsSpan(_rawStart + offset, count);

    /// <summary>Takes a control frame that was handled ahead of its turn out of the raw bytes.</summary>
    public void RemoveRaw(int offset, int count)
    {
        var tail = _array.AsSpan(_rawStart + offset + count, RawLength - offset - count);
        tail.CopyTo(_array.AsSpan(_rawStart + offset));
        _rawEnd -= count;
    }

    /// <summary>Begins a body at the next raw byte: where a message is one frame it is never moved.</summary>
    public void BeginBody()
    {
        _isInflated = false;
        _bodyStart = _bodyEnd = _rawStart;
    }

    /// <summary>Moves raw bytes to the end of the body.</summary>
    /// <returns>Where they are now, still masked.</returns>
    public Span<byte> AppendBody(int count)
    {
        if (_bodyEnd != _rawStart)
            _array.AsSpan(_rawStart, count).CopyTo(_array.AsSpan(_bodyEnd));
        var appended = _array.AsSpan(_bodyEnd, count);
        _bodyEnd += count;
        _rawStart += count;
        return appended;
    }

    /// <summary>Forgets the body.</summary>
    public void DropBody()
    {
        if (_inflated is not null)
            DropInflated();
        _bodyStart = _bodyEnd = _rawStart;
    }

    /// <summary>Lends the body out, whole or as a part of which a rest may stay.</summary>
    public void Lend(bool isPart)
    {
        Debug.Assert(!_isLent);
        _isLent = true;
        _isPartLent = isPart;
        if (_isInflated)
        {
            LendInflated(isPart);
            return;
        }

        _lentArray = _array;
        _lentStart = _bodyStart;
        _lentEnd = _bodyEnd;
    }

    /// <summary>Whether an index of <see cref="Lent"/> lies within it.</summary>
    public readonly bool IsInLent(SequencePosition position) =>
        ReferenceEquals(position.GetObject(), _lentArray) && position.GetInteger() >= _lentStart && position.GetInteger() <= _lentEnd;

    /// <summary>Takes back a whole message.</summary>
    public void TakeBack()
    {
        if (_isLent)
            TakeBack(_lentEnd);
    }

    /// <summary>Takes back a part; what lies behind <paramref name="consumed"/> stays the body.</summary>
    public void TakeBack(int consumed)
    {
        if (_isInflatedLent)
        {
            TakeBackInflated(consumed);
            return;
        }

        _isLent = false;
        if (ReferenceEquals(_lentArray, _array))
        {
            if (_bodyEnd == _lentEnd)
                _bodyStart = consumed;
        }
        else
        {
            // DetachWhenFull has kept room for the rest in front of the raw bytes.
            var rest = _lentArray.AsSpan(consumed, _lentEnd - consumed);
            _bodyEnd = _rawStart;
            _bodyStart = _bodyEnd - rest.Length;
            rest.CopyTo(_array.AsSpan(_bodyStart));
            ReturnArray(_lentArray!);
        }

        _lentArray = null;
        if (_bodyStart == _bodyEnd)
            DropBody();
    }

    /// <summary>Makes room for a read.</summary>
    /// <param name="wanted">How many more bytes the frame in progress needs; the buffer grows towards it only as they arrive.</param>
    /// <param name="limit">The most to read.</param>
    public Memory<byte> PrepareRead(long wanted, int limit)
    {
        if (_readSize == 0)
            _readSize = SmallestRead;

        if (_array is null)
            Rent(_readSize == LargestRead ? LargestPart : _readSize, 0);   // room for the end of a message that began in one large read
        else if (_isLent && ReferenceEquals(_lentArray, _array))
            DetachWhenFull();
        else if (RawLength == 0 && _bodyEnd == _bodyStart)
            Restart();
        else
            CompactOrGrow(wanted);

        _prepared = Math.Min(limit, Math.Min(_readSize, _array!.Length - _rawEnd));
        if (wanted > _prepared)
            _prepared = (int)Math.Min(wanted, Math.Min(limit, _array.Length - _rawEnd));
        return _array.AsMemory(_rawEnd, _prepared);
    }

    /// <summary>Adds bytes that were read: first those that are body already, then raw ones.</summary>
    public void Commit(int body, int count)
    {
        // The next read asks for more when this one was filled, for less when it was mostly empty.
        if (count == _prepared && count >= _readSize)
            _readSize = Math.Min(_readSize * 2, LargestRead);
        else if (count < _prepared / 8)
            _readSize = Math.Max(_readSize / 2, SmallestRead);

        if (body > 0)
        {
            Debug.Assert(IsReadContiguous);
            _bodyEnd += body;
            _rawStart += body;
        }

        _rawEnd += count;
    }

    /// <summary>The last <paramref name="count"/> bytes of the body.</summary>
    public readonly Span<byte> BodyTail(int count) => _array.AsSpan(_bodyEnd - count, count);

    /// <summary>Returns the array when nothing is in it.</summary>
    public void Trim()
    {
        if (_array is null || RawLength > 0 || _bodyEnd > _bodyStart || (_isLent && !_isInflatedLent))
            return;
        ReturnArray(_array);
        _array = null;
        _bodyStart = _bodyEnd = _rawStart = _rawEnd = 0;
    }

    /// <summary>Forgets everything. A receiver may still be reading what is lent to it: that array is not given to another.</summary>
    public void Clear()
    {
        if (_isLent)
            _retained -= _lentArray?.Length ?? 0;
        if (_isLent && ReferenceEquals(_lentArray, _array))
            _array = null;
        if (_isInflatedLent && ReferenceEquals(_lentArray, _inflated))
            ForgetInflated();
        if (_isLent && _lentArray is { Length: > 0 } lent)
            BufferPool.Abandon(lent);
        _isInflatedLent = false;
        _isLent = false;
        _lentArray = null;
        _rawStart = _rawEnd = 0;
        DropBody();
        Trim();
    }

    // Where a part is lent out of another array, its rest may have to go in front of the raw bytes.
    private readonly int Front => _isLent && _isPartLent && !_isInflatedLent ? _lentEnd - _lentStart : 0;

    private void Restart()
    {
        var front = Front;
        if (_array!.Length - front < _readSize)
        {
            ReturnArray(_array);
            Rent(front + _readSize, front);
        }

        _bodyStart = _bodyEnd = _rawStart = _rawEnd = front;
    }

    private void Rent(int size, int rawStart)
    {
        _array = RentArray(size);
        _rawStart = _rawEnd = _bodyStart = _bodyEnd = rawStart;
    }

    private byte[] RentArray(int size)
    {
        var array = BufferPool.Rent(size);
        _retained += array.Length;
        return array;
    }

    private void ReturnArray(byte[] array)
    {
        _retained -= array.Length;
        BufferPool.Return(array);
    }

    private void DetachWhenFull()
    {
        if (_array!.Length - _rawEnd >= SmallestRead / 4)
            return;
        var raw = Raw;
        Rent(Front + Math.Max(_readSize, raw.Length + SmallestRead), Front);
        raw.CopyTo(_array.AsSpan(_rawStart));
        _rawEnd = _rawStart + raw.Length;
    }

    private void CompactOrGrow(long wanted)
    {
        var capacity = _array!.Length;
        if (RawLength == 0 && _bodyEnd > _bodyStart)
            _rawStart = _rawEnd = _bodyEnd;
        if (capacity - _rawEnd >= Math.Min(wanted, capacity / 4))
            return;

        var front = Front;
        var body = _array.AsSpan(_bodyStart, _bodyEnd - _bodyStart);
        var raw = Raw;
        var live = front + body.Length + raw.Length;
        var target = _array;
        // Moving more than half of the buffer costs as much as growing it once and for all.
        if (live > capacity / 2)
            target = RentArray((int)Math.Min(capacity * 2L, Array.MaxLength));
        body.CopyTo(target.AsSpan(front));
        raw.CopyTo(target.AsSpan(front + body.Length));
        if (target != _array)
            ReturnArray(_array);

        _array = target;
        _bodyStart = front;
        _bodyEnd = _rawStart = front + body.Length;
        _rawEnd = live;
    }
}
