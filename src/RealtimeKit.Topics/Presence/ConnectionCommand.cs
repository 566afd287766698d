using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.Topics;

/// <summary>What one node tells the others to do with connections: a kind, a selector and a payload.</summary>
/// <param name="IsDisconnect">Disconnect, with the payload as the reason; otherwise send it.</param>
/// <param name="Selector">Which connections.</param>
/// <param name="MessageType">Of the payload.</param>
/// <param name="Payload">The message, or the reason as UTF-8.</param>
internal readonly record struct ConnectionCommand(
    bool IsDisconnect, TopicConnectionSelector Selector, WebSocketMessageType MessageType, ReadOnlyMemory<byte> Payload)
{
    private const int HeaderLength = 8;

    public byte[] Encode()
    {
        var name = Encoding.UTF8.GetByteCount(Selector.Value);
        var bytes = new byte[HeaderLength + name + Payload.Length];
        bytes[0] = 1;
        bytes[1] = IsDisconnect ? (byte)'d' : (byte)'s';
        bytes[2] = (byte)Selector.Kind;
        bytes[3] = (byte)MessageType;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), name);
        Encoding.UTF8.GetBytes(Selector.Value, bytes.AsSpan(HeaderLength));
        Payload.Span.CopyTo(bytes.AsSpan(HeaderLength + name));
        return bytes;
    }

    /// <summary>Reads a command; one of another version of this library is none.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out ConnectionCommand command)
    {
        command = default;
        var span = bytes.Span;
        if (span.Length < HeaderLength || span[0] != 1 || span[1] is not ((byte)'d' or (byte)'s') || span[3] > (byte)WebSocketMessageType.Binary)
            return false;
        var name = BinaryPrimitives.ReadInt32BigEndian(span[4..]);
        if (name < 0 || name > span.Length - HeaderLength
            || !TopicConnectionSelector.TryCreate((char)span[2], Encoding.UTF8.GetString(span.Slice(HeaderLength, name)), out var selector))
            return false;
        command = new ConnectionCommand(span[1] == (byte)'d', selector, (WebSocketMessageType)span[3], bytes[(HeaderLength + name)..]);
        return true;
    }
}
