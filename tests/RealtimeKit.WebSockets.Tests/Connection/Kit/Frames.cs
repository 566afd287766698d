using System.Buffers.Binary;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>
/// Raw frames, byte by byte as RFC 6455 §5.2 draws them: written for the tests and independent of the library, so that a mistake
/// there cannot hide itself. Whatever is illegal can be written too.
/// </summary>
internal static class Frames
{
    public const int Continuation = 0x0;
    public const int Text = 0x1;
    public const int Binary = 0x2;
    public const int Close = 0x8;
    public const int Ping = 0x9;
    public const int Pong = 0xA;

    public static readonly byte[] Key = [0x37, 0xFA, 0x21, 0x3D];   // the key of RFC 6455 §5.7

    /// <summary>One frame.</summary>
    /// <param name="opcode">Any four bits.</param>
    /// <param name="payload">The payload that is really written.</param>
    /// <param name="fin">Whether FIN is set.</param>
    /// <param name="rsv">The three reserved bits.</param>
    /// <param name="masked">Whether it is masked, as a client's frames are.</param>
    /// <param name="lengthBytes">0, 2 or 8 extended length bytes; -1 for the fewest.</param>
    /// <param name="declared">The payload length that the header claims; -1 for the real one.</param>
    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool fin = true, int rsv = 0, bool masked = true, int lengthBytes = -1, ulong? declared = null)
    {
        var length = declared ?? (ulong)payload.Length;
        if (lengthBytes < 0)
            lengthBytes = length <= 125 ? 0 : length <= ushort.MaxValue ? 2 : 8;
        var frame = new byte[2 + lengthBytes + (masked ? 4 : 0) + payload.Length];
        frame[0] = (byte)((fin ? 0x80 : 0) | (rsv << 4) | opcode);
        frame[1] = (byte)((masked ? 0x80 : 0) | (lengthBytes switch { 0 => (int)length, 2 => 126, _ => 127 }));
        if (lengthBytes == 2)
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)length);
        else if (lengthBytes == 8)
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), length);
        var at = 2 + lengthBytes;
        if (masked)
        {
            Key.CopyTo(frame, at);
            at += 4;
        }

        for (var i = 0; i < payload.Length; i++)
            frame[at + i] = (byte)(payload[i] ^ (masked ? Key[i % 4] : 0));
        return frame;
    }

    public static byte[] TextFrame(string text, bool fin = true, bool masked = true) => Frame(Text, Encoding.UTF8.GetBytes(text), fin, masked: masked);

    public static byte[] BinaryFrame(ReadOnlySpan<byte> payload, bool fin = true, bool masked = true) => Frame(Binary, payload, fin, masked: masked);

    public static byte[] ContinuationFrame(ReadOnlySpan<byte> payload, bool fin, bool masked = true) => Frame(Continuation, payload, fin, masked: masked);

    public static byte[] PingFrame(string payload = "", bool masked = true) => Frame(Ping, Encoding.UTF8.GetBytes(payload), masked: masked);

    public static byte[] PongFrame(ReadOnlySpan<byte> payload, bool masked = true) => Frame(Pong, payload, masked: masked);

    public static byte[] CloseFrame(int? code = null, string reason = "", bool masked = true) => Frame(Close, ClosePayload(code, reason), masked: masked);

    public static byte[] ClosePayload(int? code, string reason = "") =>
        code is { } value ? [(byte)(value >> 8), (byte)value, .. Encoding.UTF8.GetBytes(reason)] : [];

    /// <summary>A message in fragments of a size.</summary>
    public static byte[] Fragmented(int opcode, byte[] payload, int size, bool masked = true)
    {
        var frames = new List<byte>();
        for (var offset = 0; offset == 0 || offset < payload.Length; offset += size)
        {
            var count = Math.Min(size, payload.Length - offset);
            frames.AddRange(Frame(offset == 0 ? opcode : Continuation, payload.AsSpan(offset, count), offset + count == payload.Length, masked: masked));
        }

        return [.. frames];
    }

    public static byte[] Join(params byte[][] frames) => [.. frames.SelectMany(frame => frame)];

    /// <summary>Bytes that differ from place to place, so that a lost or doubled one shows.</summary>
    public static byte[] Pattern(int length, int seed = 0)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = (byte)((i + seed) * 31 + (i >> 8));
        return bytes;
    }

    /// <summary>ASCII of a length that differs from place to place.</summary>
    public static string TextPattern(int length, int seed = 0) => string.Create(length, seed, static (chars, seed) =>
    {
        for (var i = 0; i < chars.Length; i++)
            chars[i] = (char)('a' + (i * 7 + seed) % 26);
    });
}
