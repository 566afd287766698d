namespace RealtimeKit.WebSockets;

/// <summary>The last bytes that were inflated before the current output, as a ring as large as the window.</summary>
internal struct InflateHistory
{
    private byte[]? _ring;
    private int _size;
    private int _end;
    private int _count;

    /// <summary>How far a match may reach back, as negotiated (RFC 7692 §7.1.2).</summary>
    public int MaxDistance { get; init; }

    /// <summary>Whether it holds anything that must be kept.</summary>
    public readonly bool IsEmpty => _count == 0;

    /// <summary>The memory, which its owner rents and returns; <see cref="MaxDistance"/> bytes of it are used.</summary>
    public byte[]? Ring
    {
        readonly get => _ring;
        set
        {
            _ring = value;
            _size = value is null ? 0 : MaxDistance;
            _end = _count = 0;
        }
    }

    /// <summary>Whether a match reaches nothing but what there is, with so many bytes of output between it and the history.</summary>
    public readonly bool Reaches(int distance, int written) => distance <= MaxDistance && distance - written <= _count;

    /// <summary>Adds output; only the last of it counts.</summary>
    public void Append(ReadOnlySpan<byte> output)
    {
        if (output.Length >= _size)
        {
            output[^_size..].CopyTo(_ring);
            _end = 0;
            _count = _size;
            return;
        }

        var first = Math.Min(output.Length, _size - _end);
        output[..first].CopyTo(_ring.AsSpan(_end));
        output[first..].CopyTo(_ring);
        _end = (_end + output.Length) & (_size - 1);
        _count = Math.Min(_count + output.Length, _size);
    }

    /// <summary>Copies what lies <paramref name="back"/> bytes before the output; no more than that is asked for.</summary>
    public readonly void CopyTo(Span<byte> destination, int back)
    {
        var start = (_end - back) & (_size - 1);
        var first = Math.Min(destination.Length, _size - start);
        _ring.AsSpan(start, first).CopyTo(destination);
        _ring.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }
}
