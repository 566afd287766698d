using System.Buffers;
using System.Diagnostics;

namespace RealtimeKit.WebSockets;

// The body of a compressed message cannot lie where its raw bytes do: it has an array of its own, rented with its first bytes and
// returned when they are taken back. Lent out whole, the array belongs to the loan, so that the next message has another.
internal partial struct ReceiveBuffer
{
#if DEBUG
    private const int SmallestInflated = 16;
    private const int SmallestSpace = 1;
#else
    private const int SmallestInflated = 1024;
    private const int SmallestSpace = 512;
#endif

    /// <summary>Begins the body of a compressed message.</summary>
    public void BeginInflatedBody()
    {
        BeginBody();
        _isInflated = true;
    }

    /// <summary>Makes room at the end of an inflated body.</summary>
    /// <param name="wanted">A guess at how much more there will be.</param>
    /// <param name="limit">The most room to give.</param>
    public Span<byte> InflateSpace(int wanted, int limit)
    {
        var room = (_inflated?.Length ?? 0) - _inflatedEnd;
        if (room < Math.Min(limit, SmallestSpace))
            GrowInflated(Math.Min(wanted, limit));
        return _inflated.AsSpan(_inflatedEnd, Math.Min(limit, (_inflated?.Length ?? 0) - _inflatedEnd));
    }

    /// <summary>Adds what was inflated into <see cref="InflateSpace"/>.</summary>
    public Span<byte> CommitInflated(int count)
    {
        _inflatedEnd += count;
        return _inflated.AsSpan(_inflatedEnd - count, count);
    }

    private void GrowInflated(int wanted)
    {
        var length = _inflatedEnd - _inflatedStart;
        var size = Math.Max(Math.Max((long)length + wanted, 2L * length), SmallestInflated);
        var larger = RentArray((int)Math.Min(size, Array.MaxLength));
        if (_inflated is not null)
        {
            Debug.Assert(!_isInflatedLent);
            _inflated.AsSpan(_inflatedStart, length).CopyTo(larger);
            ReturnArray(_inflated);
        }

        _inflated = larger;
        _inflatedStart = 0;
        _inflatedEnd = length;
    }

    private void LendInflated(bool isPart)
    {
        _isInflatedLent = true;
        _lentArray = _inflated ?? [];
        _lentStart = _inflatedStart;
        _lentEnd = _inflatedEnd;
        if (!isPart)
            ForgetInflated();
    }

    private void TakeBackInflated(int consumed)
    {
        _isLent = _isInflatedLent = false;
        var lent = _lentArray!;
        _lentArray = null;
        if (!ReferenceEquals(lent, _inflated))
        {
            if (lent.Length > 0)
                ReturnArray(lent);
            return;
        }

        _inflatedStart = consumed;
        if (_inflatedStart == _inflatedEnd)
            DropInflated();
    }

    // Keeps that this message is a compressed one.
    private void DropInflated()
    {
        var array = _inflated;
        ForgetInflated();
        if (array is not null && !(_isInflatedLent && ReferenceEquals(array, _lentArray)))
            ReturnArray(array);
    }

    private void ForgetInflated()
    {
        _inflated = null;
        _inflatedStart = _inflatedEnd = 0;
    }
}
