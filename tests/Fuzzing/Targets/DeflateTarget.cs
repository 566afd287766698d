using System.Buffers;
using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class DeflateTarget : FuzzTarget
{
    private const byte Canary = 0xA5;

    private static readonly FieldInfo MatcherField = typeof(DeflateEncoder).GetField("_matcherWithoutTakeover", BindingFlags.Static | BindingFlags.NonPublic)!;
    private readonly GuardedBuffer _input = new(192 * 1024);
    private readonly GuardedBuffer _output = new(256 * 1024);

    public override string Name => "deflate";

    public override string Description => "The encoder between guard pages, every window, with and without takeover, near the end of its positions: what it writes inflates to the message, within the window.";

    public override int MaxLength => 2048;

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0], [1], [63], [127], [0x80, 0, 0], [0xBF, 0, 0], [0xBF, 0xFF, 0x7F], [0xBF, 0xFF, 0x00], [0x80, 0x00, 0x01], [0xFF, 1], [0xFE, 1], [0xC1, 0], [0x83, 0xFE, 0x0F], "abcabcabcabc"u8.ToArray(), "{\"id\":1,\"name\":\""u8.ToArray(),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var flags = settings.Byte();
        var windowBits = 8 + (flags & 7);
        var takesOver = (flags & 8) != 0;
        var distanceToEnd = (flags & 16) != 0 ? settings.UInt16() * 4 : -1;
        var maxMessage = (flags & 32) == 0 ? 2 * 1024 : (flags & 128) == 0 ? 24 * 1024 : 120 * 1024;
        var model = new PlainInflater(windowBits, takesOver);
        using var decoder = new DeflateDecoder(windowBits, takesOver);
        var encoder = takesOver ? new DeflateEncoder(windowBits) : null;
        SetPosition(encoder, distanceToEnd);
        using var wire = new MemoryStream();
        using var sent = new MemoryStream();
        for (var i = 0; i < 6 && (i == 0 || !settings.Rest.IsEmpty); i++)
        {
            var message = MessageProgram.Expand(ref settings, maxMessage);
            var payload = Compress(encoder, message, windowBits, (flags & 64) != 0);
            Oracle.That(model.TryInflate(payload, int.MaxValue / 2, out var inflated), "what was compressed is corrupt, or looks back beyond the window");
            Oracle.Equal(message, inflated, "compressed and inflated");
            Oracle.That(!model.HasFinalBlock, "a message ends the stream");

            var room = new byte[message.Length];
            Oracle.Equal(OperationStatus.Done, decoder.Decompress(payload, room, isEndOfMessage: true, out var consumed, out var written), "our decoder");
            Oracle.That(consumed == payload.Length && written == message.Length, "our decoder's counts");
            Oracle.Equal(message, room, "inflated by our decoder");
            sent.Write(message);
            wire.Write(payload);
            wire.Write([0x00, 0x00, 0xFF, 0xFF]);
        }

        if (wire.Length > 0)
            CheckFramework(wire.GetBuffer().AsSpan(0, (int)wire.Length), sent.GetBuffer().AsSpan(0, (int)sent.Length));
    }

    private byte[] Compress(DeflateEncoder? encoder, byte[] message, int windowBits, bool atStart)
    {
        var source = _input.Copy(message, !atStart);
        var room = DeflateEncoder.GetMaxCompressedLength(message.Length);
        var whole = _output.AtEnd(room + 16);
        whole[..16].Fill(Canary);
        var destination = whole[16..];
        var length = encoder is null ? DeflateEncoder.Compress(source, destination, windowBits) : encoder.CompressNext(source, destination);
        Oracle.That(length >= 1 && length <= room, $"{length} bytes of {room}");
        Oracle.That(!whole[..16].ContainsAnyExcept(Canary), "written in front of the destination");
        Oracle.Equal(message, source, "the message is written to");
        return destination[..length].ToArray();
    }

    // Positions count on for two billion bytes, and begin again then: put them near that.
    private static void SetPosition(DeflateEncoder? encoder, int distanceToEnd)
    {
        if (distanceToEnd < 0)
            return;
        var position = int.MaxValue - distanceToEnd;
        if (encoder is null)
        {
            if (MatcherField.GetValue(null) is DeflateMatcher shared)
                Next(shared) = Math.Max(position, Next(shared));
            return;
        }

        // The encoder has begun, and nothing has been entered.
        var matcher = MatcherOf(encoder);
        Origin(matcher) = First(matcher) = Inserted(matcher) = Next(matcher) = position - (1 << 17);
    }

    private static void CheckFramework(ReadOnlySpan<byte> wire, ReadOnlySpan<byte> expected)
    {
        using var source = new MemoryStream(wire.ToArray());
        using var inflater = new DeflateStream(source, CompressionMode.Decompress);
        var output = new byte[expected.Length + 1];
        var length = inflater.ReadAtLeast(output, output.Length, throwOnEndOfStream: false);
        Oracle.Equal(expected, output.AsSpan(0, length), "inflated by the framework");
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_matcher")]
    private static extern ref DeflateMatcher MatcherOf(DeflateEncoder encoder);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_next")]
    private static extern ref int Next(DeflateMatcher matcher);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_origin")]
    private static extern ref int Origin(DeflateMatcher matcher);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_first")]
    private static extern ref int First(DeflateMatcher matcher);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_inserted")]
    private static extern ref int Inserted(DeflateMatcher matcher);
}
