using System.Buffers.Binary;

namespace RealtimeKit.WebSockets;

public readonly partial struct WebSocketFrameHeader
{
    /// <summary>Writes the header, its length in the fewest bytes (RFC 6455 §5.2). No other rule is applied: see <see cref="Check"/>.</summary>
    /// <param name="destination">Receives <see cref="Length"/> bytes; <see cref="MaxLength"/> are always enough.</param>
    /// <param name="bytesWritten">The size of the header in bytes, or 0.</param>
    /// <returns>False, with nothing written, if <paramref name="destination"/> is too short.</returns>
    public bool TryWrite(Span<byte> destination, out int bytesWritten)
    {
        var size = Length;
        if (destination.Length < size)
        {
            bytesWritten = 0;
            return false;
        }

        destination[0] = _first;
        if (_payloadLength <= MaximumInlineLength)
        {
            destination[1] = (byte)(_mask | (uint)_payloadLength);
        }
        else if (_payloadLength <= ushort.MaxValue)
        {
            destination[1] = (byte)(_mask | Length16);
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)_payloadLength);
        }
        else
        {
            destination[1] = (byte)(_mask | Length64);
            BinaryPrimitives.WriteInt64BigEndian(destination[2..], _payloadLength);
        }

        if (_mask != 0)
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(size - sizeof(uint))..], _maskingKey);

        bytesWritten = size;
        return true;
    }
}
