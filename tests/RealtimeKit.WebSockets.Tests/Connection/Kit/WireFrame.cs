using System.Buffers.Binary;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>A frame as a peer reads it, decoded apart from the library.</summary>
internal sealed record WireFrame(bool Fin, int Rsv, int Opcode, bool Masked, byte[] Payload)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    public int? CloseCode => Payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(Payload) : null;

    public string CloseReason => Payload.Length > 2 ? Encoding.UTF8.GetString(Payload.AsSpan(2)) : "";

    public override string ToString() => $"{(Fin ? "FIN " : "")}{Opcode:X} [{Payload.Length}] {(Opcode == Frames.Close ? $"{CloseCode} {CloseReason}" : "")}";

    /// <summary>Decodes the first frame, if it is whole.</summary>
    public static WireFrame? TryDecode(ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 0;
        if (bytes.Length < 2)
            return null;
        var masked = bytes[1] >= 0x80;
        var at = 2;
        long length = bytes[1] & 0x7F;
        if (length >= 126)
        {
            var extended = length == 126 ? 2 : 8;
            if (bytes.Length < 2 + extended)
                return null;
            length = extended == 2 ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : (long)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
            at += extended;
        }

        var key = new byte[4];
        if (masked)
        {
            if (bytes.Length < at + 4)
                return null;
            bytes.Slice(at, 4).CopyTo(key);
            at += 4;
        }

        if (bytes.Length - at < length)
            return null;
        var payload = bytes.Slice(at, (int)length).ToArray();
        for (var i = 0; masked && i < payload.Length; i++)
            payload[i] ^= key[i % 4];
        consumed = at + payload.Length;
        return new WireFrame(bytes[0] >= 0x80, bytes[0] >> 4 & 7, bytes[0] & 0xF, masked, payload);
    }

    /// <summary>Decodes all of the bytes; what is left over of an unfinished frame fails the test.</summary>
    public static List<WireFrame> DecodeAll(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<WireFrame>();
        while (TryDecode(bytes, out var consumed) is { } frame)
        {
            frames.Add(frame);
            bytes = bytes[consumed..];
        }

        bytes.Length.Should().Be(0, "every frame on the wire is whole");
        return frames;
    }
}
