using System.Text;

namespace RealtimeKit.Fuzzing;

/// <summary>Makes frames, right ones mostly, and changes frames in the bytes of a connection.</summary>
internal static class FrameBuilder
{
    public static IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0x81, 0x80, 0, 0, 0, 0], [0x01, 0x81, 0, 0, 0, 0, (byte)'a'], [0x00, 0x80, 0, 0, 0, 0], [0x80, 0x80, 0, 0, 0, 0], [0x82, 0x80, 0, 0, 0, 0],
        [0x88, 0x80, 0, 0, 0, 0], [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8], [0x88, 0x81, 0, 0, 0, 0, 0], [0x89, 0x80, 0, 0, 0, 0], [0x8A, 0x80, 0, 0, 0, 0],
        [0x81, 0x00], [0x01, 0x00], [0x00, 0x00], [0x80, 0x00], [0x82, 0x00], [0x88, 0x00], [0x89, 0x00], [0x8A, 0x00], [0x88, 0x02, 0x03, 0xE8],
        [0xFE, 0x00, 0x7D], [0x7E, 0xFF, 0xFF], [0x7F, 0, 0, 0, 0, 0, 1, 0, 0], [0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0],
        [0xC1, 0x81, 0, 0, 0, 0, 0x00], [0xC1, 0x01, 0x00], "é€😀"u8.ToArray(), [0xED, 0xA0, 0x80], [0xF4, 0x90],
    ];

    /// <summary>Frames of several messages, with control frames in between; now and then one that breaks a rule.</summary>
    public static byte[] Frames(FuzzRandom random, bool masked, int maxFrames = 12, bool compressed = false)
    {
        var wire = new List<byte>();
        var inMessage = false;
        for (var left = 1 + random.Skewed(maxFrames); left > 0; left--)
        {
            if (random.Once(4))
            {
                wire.AddRange(Control(random, masked));
                continue;
            }

            var opcode = inMessage ? 0 : random.Between(1, 2);
            var isFinal = random.Once(2);
            var rsv = compressed && !inMessage && random.Once(2) ? 4 : 0;
            if (random.Once(40))
                opcode = random.Next(16);
            if (random.Once(40))
                rsv = random.Next(8);
            wire.AddRange(Frame(random, isFinal, rsv, opcode, masked ^ random.Once(60), Payload(random)));
            inMessage = !isFinal;
        }

        return [.. wire];
    }

    public static byte[] Control(FuzzRandom random, bool masked)
    {
        var opcode = random.Once(6) ? 8 : random.Between(9, 10);
        byte[] payload = opcode == 8
            ? random.Next(5) switch
            {
                0 => [],
                1 => random.Bytes(random.Next(4)),
                _ => [(byte)random.Between(3, 4), random.NextByte(), .. Encoding.UTF8.GetBytes(random.Once(2) ? "" : "bye é")],
            }
            : random.Bytes(random.Skewed(126));
        return Frame(random, !random.Once(40), random.Once(40) ? random.Next(8) : 0, opcode, masked, payload);
    }

    public static byte[] Frame(FuzzRandom random, bool isFinal, int rsv, int opcode, bool masked, byte[] payload)
    {
        var declared = random.Once(80) ? (long)(random.NextUInt64() >> random.Next(64)) : payload.Length;
        var frame = new List<byte> { (byte)((isFinal ? 0x80 : 0) | rsv << 4 | opcode) };
        var mask = masked ? 0x80 : 0;
        var width = declared is >= 0 and < 126 ? 0 : declared is >= 0 and < 65536 ? 2 : 8;
        if (random.Once(80))
            width = random.Pick([0, 2, 8]);
        frame.Add((byte)(mask | width switch { 0 => (int)(declared & 0x7F), 2 => 126, _ => 127 }));
        for (var i = width - 1; i >= 0; i--)
            frame.Add((byte)(declared >> 8 * i));
        byte[] key = random.Once(3) ? [0, 0, 0, 0] : random.Bytes(4);
        if (masked)
            frame.AddRange(key);
        for (var i = 0; i < payload.Length; i++)
            frame.Add((byte)(masked ? payload[i] ^ key[i % 4] : payload[i]));
        return [.. frame];
    }

    /// <summary>Inserts, removes or changes a frame, without touching those beside it.</summary>
    public static byte[]? Mutate(ReadOnlySpan<byte> wire, int settings, FuzzRandom random, bool masked)
    {
        if (wire.Length < settings)
            return null;
        var starts = new List<int>();
        for (var at = settings; at < wire.Length && PlainHeader.Read(wire[at..], out var header) == PlainHeader.Outcome.Whole;)
        {
            starts.Add(at);
            if (header.Length > (ulong)(wire.Length - at))
                break;
            at += header.Size + (int)header.Length;
        }

        starts.Add(wire.Length);
        var index = random.Next(starts.Count);
        var start = starts[index];
        var end = index + 1 < starts.Count ? starts[index + 1] : start;
        return random.Next(5) switch
        {
            0 => [.. wire[..start], .. wire[end..]],
            1 => [.. wire[..end], .. wire[start..end], .. wire[end..]],
            2 => [.. wire[..start], .. Control(random, masked), .. wire[start..]],
            3 when end > start => [.. wire[..start], (byte)(wire[start] ^ (1 << random.Next(8))), .. wire[(start + 1)..]],
            _ => [.. wire[..start], .. Frames(random, masked, 3), .. wire[start..]],
        };
    }

    private static byte[] Payload(FuzzRandom random)
    {
        if (random.Once(3))
            return [];
        var length = random.Once(20) ? random.Pick([125, 126, 127, 128, 1023, 1024, 1025, 2000]) : random.Skewed(200);
        return random.Next(3) switch
        {
            0 => random.Bytes(length),
            1 => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("aé€😀", length / 10 + 1))),
            _ => [.. Enumerable.Repeat((byte)'a', length)],
        };
    }
}
