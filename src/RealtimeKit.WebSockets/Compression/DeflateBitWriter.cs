using System.Buffers.Binary;

namespace RealtimeKit.WebSockets;

/// <summary>Packs bits, lowest first (RFC 1951 §3.1.1). The destination needs <see cref="Slack"/> bytes behind what is written.</summary>
internal ref struct DeflateBitWriter(Span<byte> destination)
{
    /// <summary>Whole words are stored, so the last one reaches past the end.</summary>
    public const int Slack = sizeof(ulong);

    private readonly Span<byte> _destination = destination;
    private ulong _bits;
    private int _bitCount;
    private int _position;

    /// <summary>How many bits stand before the next byte boundary is filled: 0–7.</summary>
    public readonly int PartialBits => _bitCount;

    /// <summary>Writes up to 56 bits.</summary>
    public void Write(ulong bits, int count)
    {
        _bits |= bits << _bitCount;
        count += _bitCount;
        BinaryPrimitives.WriteUInt64LittleEndian(_destination[_position..], _bits);
        _position += count >> 3;
        _bits >>= count & ~7;
        _bitCount = count & 7;
    }

    /// <summary>Fills the byte that is begun with zero bits.</summary>
    public void Align()
    {
        if (_bitCount > 0)
            _position++;
        _bits = 0;
        _bitCount = 0;
    }

    /// <summary>Writes whole bytes; the writer is aligned.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[_position..]);
        _position += bytes.Length;
    }

    /// <summary>How many bytes are written; the writer is aligned.</summary>
    public readonly int Length => _position;

    // For the one hot loop that keeps the state in registers.
    public readonly void Save(out Span<byte> destination, out ulong bits, out int bitCount, out int position)
    {
        destination = _destination;
        bits = _bits;
        bitCount = _bitCount;
        position = _position;
    }

    public void Restore(ulong bits, int bitCount, int position)
    {
        _bits = bits;
        _bitCount = bitCount;
        _position = position;
    }
}
