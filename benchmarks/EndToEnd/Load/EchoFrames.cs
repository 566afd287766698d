using System.Buffers.Binary;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>
/// The bytes of one masked frame as a client sends it, and of its echo, both repeated so that any run of the endless stream of equal
/// frames is one span.
/// </summary>
internal sealed class EchoFrames
{
    /// <summary>The longest run to be received at once, in bytes.</summary>
    public const int ReceiveWindow = 256 * 1024;

    private const uint MaskingKey = 0xA5_3C_96_0F;

    private readonly byte[] _sent;
    private readonly byte[] _echoed;

    /// <param name="size">The payload's length.</param>
    /// <param name="text">Text instead of binary; the payload is ASCII either way.</param>
    /// <param name="raw">The server sends back the bytes as they came, masked.</param>
    /// <param name="sendWindow">The longest run to be sent at once, in frames.</param>
    public EchoFrames(int size, bool text, bool raw, int sendWindow)
    {
        var payload = new byte[size];
        for (var i = 0; i < size; i++)
            payload[i] = (byte)('!' + i % 90);

        var sent = Frame(payload, text, masked: true);
        var echoed = raw ? sent : Frame(payload, text, masked: false);
        SentLength = sent.Length;
        EchoedLength = echoed.Length;
        _sent = Repeat(sent, sent.Length * (sendWindow + 1));
        _echoed = Repeat(echoed, ReceiveWindow + echoed.Length);
    }

    public int SentLength { get; }

    public int EchoedLength { get; }

    /// <summary>What to send from this place in the stream on; at least <c>sendWindow</c> frames.</summary>
    public ReadOnlySpan<byte> Sent(long position) => _sent.AsSpan((int)(position % SentLength));

    /// <summary>Whether these bytes are what must come from this place in the stream on.</summary>
    public bool IsEcho(long position, ReadOnlySpan<byte> received) =>
        received.SequenceEqual(_echoed.AsSpan((int)(position % EchoedLength), received.Length));

    private static byte[] Frame(byte[] payload, bool text, bool masked)
    {
        var header = new List<byte> { (byte)(0x80 | (text ? 1 : 2)) };
        var mask = masked ? 0x80 : 0;
        if (payload.Length < 126)
        {
            header.Add((byte)(mask | payload.Length));
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            header.AddRange([(byte)(mask | 126), (byte)(payload.Length >> 8), (byte)payload.Length]);
        }
        else
        {
            var length = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            header.Add((byte)(mask | 127));
            header.AddRange(length);
        }
        if (!masked)
            return [.. header, .. payload];

        var key = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(key, MaskingKey);
        return [.. header, .. key, .. payload.Select((value, i) => (byte)(value ^ key[i % 4]))];
    }

    private static byte[] Repeat(byte[] frame, int length)
    {
        var run = new byte[length];
        for (var i = 0; i < length; i += frame.Length)
            frame.AsSpan(0, Math.Min(frame.Length, length - i)).CopyTo(run.AsSpan(i));
        return run;
    }
}
