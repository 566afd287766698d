using System.Buffers.Binary;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>Takes a server's frames off (RFC 6455 §5.2) and ignores pings.</summary>
internal abstract class WebSocketSubscriber : Subscriber
{
    private readonly byte[] _header = new byte[10];
    private int _headerLength;
    private long _payloadLeft;

    protected WebSocketSubscriber(int port, FanOutRecord record, bool reads)
        : base(Connect(port, reads), record)
    {
        try
        {
            LoadConnection.Upgrade(Socket, port, "/ws?topic=all");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private bool IsControl => (_header[0] & 0x08) != 0;

    /// <param name="part">Payload of a data frame.</param>
    /// <param name="isEnd">Whether the message ends here.</param>
    protected abstract void ReadPayload(ReadOnlySpan<byte> part, bool isEnd);

    protected override void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_payloadLeft == 0 && !TryReadHeader(ref bytes))
                return;
            var part = bytes[..(int)Math.Min(bytes.Length, _payloadLeft)];
            bytes = bytes[part.Length..];
            _payloadLeft -= part.Length;
            if (!IsControl)
                ReadPayload(part, isEnd: _payloadLeft == 0 && (_header[0] & 0x80) != 0);
        }
    }

    private bool TryReadHeader(ref ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            _header[_headerLength++] = bytes[0];
            bytes = bytes[1..];
            if (_headerLength < 2)
                continue;
            var length = _header[1];
            if (_headerLength < (length switch { 126 => 4, 127 => 10, _ => 2 }))
                continue;
            if ((_header[0] & 0x70) != 0 || length > 127 || (_header[0] & 0x0F) is not (0 or 1 or 2 or (byte)WebSocketOpcode.Ping or (byte)WebSocketOpcode.Pong))
                throw new BenchmarkException($"An unexpected frame after {Received} messages: {Convert.ToHexString(_header.AsSpan(0, _headerLength))}");
            _headerLength = 0;
            _payloadLeft = length switch
            {
                126 => BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(2)),
                127 => BinaryPrimitives.ReadInt64BigEndian(_header.AsSpan(2)),
                _ => length,
            };
            return true;
        }
        return false;
    }
}
