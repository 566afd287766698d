using System.Buffers;

namespace RealtimeKit.WebSockets;

/// <summary>
/// The header of a frame, bytes to fields and back (RFC 6455 §5.2). Reading applies no policy; <see cref="Check"/> holds the rules.
/// </summary>
public readonly partial struct WebSocketFrameHeader : IEquatable<WebSocketFrameHeader>
{
    /// <summary>The size of the longest header in bytes: two bytes, a 64-bit length and a masking key.</summary>
    public const int MaxLength = 14;

    private const byte FinBit = 0x80;
    private const byte Rsv1Bit = 0x40;
    private const byte Rsv2Bit = 0x20;
    private const byte Rsv3Bit = 0x10;
    private const byte ReservedBits = Rsv1Bit | Rsv2Bit | Rsv3Bit;
    private const byte OpcodeBits = 0x0F;
    private const byte MaskBit = 0x80;
    private const byte LengthBits = 0x7F;

    // RFC 6455 §5.2: up to 125 the length stands in seven bits; 126 announces 16 bits, 127 announces 64.
    private const int MaximumInlineLength = 125;
    private const int Length16 = 126;
    private const int Length64 = 127;

    private readonly long _payloadLength;
    private readonly uint _maskingKey;
    private readonly byte _first;   // as on the wire: FIN, RSV1–3, opcode
    private readonly byte _mask;    // MaskBit or 0

    private WebSocketFrameHeader(byte first, byte mask, uint maskingKey, long payloadLength)
    {
        _first = first;
        _mask = mask;
        _maskingKey = maskingKey;
        _payloadLength = payloadLength;
    }

    /// <summary>Gets whether this is the last frame of its message: FIN (RFC 6455 §5.2).</summary>
    public bool IsFinal
    {
        get => (_first & FinBit) != 0;
        init => _first = With(_first, FinBit, value);
    }

    /// <summary>Gets RSV1, which permessage-deflate sets on the first frame of a compressed message (RFC 7692 §6).</summary>
    public bool Rsv1
    {
        get => (_first & Rsv1Bit) != 0;
        init => _first = With(_first, Rsv1Bit, value);
    }

    /// <summary>Gets RSV2, reserved (RFC 6455 §5.2).</summary>
    public bool Rsv2
    {
        get => (_first & Rsv2Bit) != 0;
        init => _first = With(_first, Rsv2Bit, value);
    }

    /// <summary>Gets RSV3, reserved (RFC 6455 §5.2).</summary>
    public bool Rsv3
    {
        get => (_first & Rsv3Bit) != 0;
        init => _first = With(_first, Rsv3Bit, value);
    }

    /// <summary>Gets the opcode, which may be a reserved one in a header that was read (RFC 6455 §5.2).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value does not fit in four bits.</exception>
    public WebSocketOpcode Opcode
    {
        get => (WebSocketOpcode)(_first & OpcodeBits);
        init
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((byte)value, OpcodeBits, nameof(value));
            _first = (byte)((_first & ~OpcodeBits) | (byte)value);
        }
    }

    /// <summary>Gets whether the opcode is that of a control frame, its highest bit (RFC 6455 §5.5).</summary>
    public bool IsControl => (_first & 0x08) != 0;

    /// <summary>Gets the length of the payload in bytes, 0 to 2^63-1. The header of a hostile peer may declare any of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long PayloadLength
    {
        get => _payloadLength;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _payloadLength = value;
        }
    }

    /// <summary>Gets whether the payload is masked (RFC 6455 §5.3). Setting it to false forgets the masking key.</summary>
    public bool IsMasked
    {
        get => _mask != 0;
        init
        {
            _mask = value ? MaskBit : (byte)0;
            if (!value)
                _maskingKey = 0;
        }
    }

    /// <summary>
    /// Gets the masking key, 0 where there is none (RFC 6455 §5.3). Setting it makes the frame a masked one.
    /// </summary>
    /// <remarks>
    /// The four bytes of the wire are read as a little-endian number, so that the key of the first payload byte is the lowest one:
    /// on a little-endian machine it can be XORed with memory as it is. <see cref="WebSocketMask"/> takes it on any machine.
    /// </remarks>
    public uint MaskingKey
    {
        get => _maskingKey;
        init
        {
            _maskingKey = value;
            _mask = MaskBit;
        }
    }

    /// <summary>Gets the size of this header in bytes, 2 to <see cref="MaxLength"/>.</summary>
    public int Length =>
        2 + (_payloadLength <= MaximumInlineLength ? 0 : _payloadLength <= ushort.MaxValue ? sizeof(ushort) : sizeof(ulong))
        + (_mask >> 5);   // four bytes of key

    private static byte With(byte bits, byte bit, bool value) => (byte)(value ? bits | bit : bits & ~bit);

    /// <inheritdoc/>
    public bool Equals(WebSocketFrameHeader other) =>
        _payloadLength == other._payloadLength && _maskingKey == other._maskingKey && _first == other._first && _mask == other._mask;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is WebSocketFrameHeader other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_payloadLength, _maskingKey, _first, _mask);

    /// <summary>Tells whether two headers are the same in every field.</summary>
    /// <param name="left">One header.</param>
    /// <param name="right">The other header.</param>
    /// <returns>True if they are equal.</returns>
    public static bool operator ==(WebSocketFrameHeader left, WebSocketFrameHeader right) => left.Equals(right);

    /// <summary>Tells whether two headers differ in a field.</summary>
    /// <param name="left">One header.</param>
    /// <param name="right">The other header.</param>
    /// <returns>True if they differ.</returns>
    public static bool operator !=(WebSocketFrameHeader left, WebSocketFrameHeader right) => !left.Equals(right);
}
