using System.Buffers.Binary;
using System.Text;

namespace RealtimeKit.Topics;

/// <summary>What one node asks the node that has a connection, or what that one answers.</summary>
/// <param name="IsAnswer">Whether it is the answer.</param>
/// <param name="Id">Which request it is; unguessable.</param>
/// <param name="ConnectionId">The connection; of an answer too.</param>
/// <param name="Payload">What is asked or answered.</param>
internal readonly record struct ConnectionRequest(bool IsAnswer, Guid Id, string ConnectionId, ReadOnlyMemory<byte> Payload)
{
    private const int IdLength = 16;
    private const int HeaderLength = 2 + IdLength + sizeof(int);

    public byte[] Encode()
    {
        var name = Encoding.UTF8.GetByteCount(ConnectionId);
        var bytes = new byte[HeaderLength + name + Payload.Length];
        bytes[0] = 1;
        bytes[1] = IsAnswer ? (byte)'a' : (byte)'q';
        Id.TryWriteBytes(bytes.AsSpan(2));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(2 + IdLength), name);
        Encoding.UTF8.GetBytes(ConnectionId, bytes.AsSpan(HeaderLength));
        Payload.Span.CopyTo(bytes.AsSpan(HeaderLength + name));
        return bytes;
    }

    /// <summary>Reads a request or an answer; never throws.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, out ConnectionRequest request)
    {
        request = default;
        var span = bytes.Span;
        if (span.Length < HeaderLength || span[0] != 1 || span[1] is not ((byte)'q' or (byte)'a'))
            return false;
        var name = BinaryPrimitives.ReadInt32BigEndian(span[(2 + IdLength)..]);
        if (name < 0 || name > span.Length - HeaderLength)
            return false;
        request = new ConnectionRequest(
            span[1] == (byte)'a', new Guid(span.Slice(2, IdLength)), Encoding.UTF8.GetString(span.Slice(HeaderLength, name)), bytes[(HeaderLength + name)..]);
        return true;
    }
}
