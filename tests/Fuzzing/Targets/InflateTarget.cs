using System.Buffers;
using System.IO.Compression;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class InflateTarget : FuzzTarget
{
    private const int MaxOutput = 96 * 1024;
    private const int MaxCalls = 400_000;
    private const byte Canary = 0xA5;

    private readonly GuardedBuffer _source = new(16384);
    private readonly GuardedBuffer _destination = new(64 * 1024);

    public override string Name => "inflate";

    public override string Description => "The inflater on any bytes, in pieces, into any room between guard pages, against a plain inflater and DeflateStream (RFC 1951, RFC 7692 §7.2.2).";

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0x00], [0x00, 0x00, 0x00, 0xFF, 0xFF], [0x01, 0x00, 0x00, 0xFF, 0xFF], [0x00, 0x01, 0x00, 0xFE, 0xFF, 0x61], [0x03, 0x00], [0x02, 0x00], [0x4A, 0x04, 0x00], [0x4B, 0x4C, 0x04, 0x00],
        [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], [0xEC, 0xC0, 0x01], [0x04, 0xC0, 0x01], [0x05, 0xE0, 0x81], [0x06], [0x07], [0xFF, 0xFF], [0x62, 0x18, 0x05, 0xA3, 0x60, 0x14], [0x4C, 0x1C, 0x05, 0x00],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var flags = settings.Byte();
        var windowBits = 8 + (flags & 7);
        var takesOver = (flags & 8) != 0;
        var random = new FuzzRandom(settings.Byte());
        var model = new PlainInflater(windowBits, takesOver);
        using var decoder = new DeflateDecoder(windowBits, takesOver);
        using var wire = new MemoryStream();
        var inflated = new List<byte>();
        for (var i = 0; i < 4 && (i == 0 || !settings.Rest.IsEmpty); i++)
        {
            var payload = settings.Take((flags & 16) != 0 ? settings.UInt16() % 2048 : int.MaxValue);
            var isValid = model.TryInflate(payload, MaxOutput, out var expected);
            var status = Inflate(decoder, payload, random, out var actual);
            var isCut = expected.Length >= MaxOutput || actual.Length >= MaxOutput;
            Oracle.Equal(expected.AsSpan(0, Math.Min(expected.Length, actual.Length)), actual.AsSpan(0, Math.Min(expected.Length, actual.Length)), "inflated");
            if (!isCut)
            {
                Oracle.Equal(isValid ? OperationStatus.Done : OperationStatus.InvalidData, status, "status");
                Oracle.Equal(expected.Length, actual.Length, "length");
            }

            wire.Write(payload);
            if (!payload.IsEmpty)
                wire.Write([0x00, 0x00, 0xFF, 0xFF]);
            inflated.AddRange(expected);

            // A final block ends the framework's inflater for good; its window is always the largest.
            if (windowBits == 15 && !model.HasFinalBlock && !isCut && (!isValid || !takesOver || settings.Rest.IsEmpty))
                CheckFramework(wire.GetBuffer().AsSpan(0, (int)wire.Length), inflated, isValid, model.IsTruncated);
            if (isCut || !isValid)
                return;
            if (takesOver)
                continue;
            wire.SetLength(0);
            inflated.Clear();
        }
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var program = new FuzzInput(random.Bytes(random.Skewed(600)));
        var message = MessageProgram.Expand(ref program, 16 * 1024);
        var flags = random.NextByte();
        byte[] payload;
        if (random.Once(2))
        {
            var level = random.Pick([CompressionLevel.Optimal, CompressionLevel.Fastest, CompressionLevel.SmallestSize, CompressionLevel.NoCompression]);
            using var output = new MemoryStream();
            using (var deflate = new DeflateStream(output, level, leaveOpen: true))
            {
                deflate.Write(message);
                deflate.Flush();
            }

            payload = output.ToArray();
            payload = payload.Length > 6 && random.Once(2) ? payload[..^6] : payload;
        }
        else
        {
            var output = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
            payload = output[..DeflateEncoder.Compress(message, output, 8 + (flags & 7))];
        }

        return (flags & 16) == 0
            ? [flags, random.NextByte(), .. payload]
            : [flags, random.NextByte(), (byte)payload.Length, (byte)(payload.Length >> 8 & 7), .. payload];
    }

    private OperationStatus Inflate(DeflateDecoder decoder, ReadOnlySpan<byte> payload, FuzzRandom random, out byte[] inflated)
    {
        var output = new ArrayBufferWriter<byte>();
        var sourceStep = random.Next(4) switch { 0 => 1, 1 => 7, 2 => 64, _ => int.MaxValue };
        var destinationStep = random.Next(4) switch { 0 => 1, 1 => 9, 2 => 300, _ => 64 * 1024 };
        var calls = 0;
        while (true)
        {
            Oracle.That(++calls < MaxCalls, "the decoder runs in circles");
            var source = payload[..Math.Min(payload.Length, random.Once(4) ? random.Next(20) : sourceStep)];
            var isEnd = source.Length == payload.Length;
            var room = random.Once(4) ? random.Next(300) : destinationStep;
            var whole = _destination.AtEnd(room + (room < 1000 ? 32 : 0));
            if (room < 1000)
                whole[..32].Fill(Canary);
            var destination = whole[^room..];
            var status = decoder.Decompress(_source.Copy(source), destination, isEnd, out var consumed, out var written);
            Oracle.That(consumed >= 0 && consumed <= source.Length && written >= 0 && written <= room, $"{consumed} of {source.Length} bytes, {written} of {room}");
            Oracle.That(room >= 1000 || !whole[..32].ContainsAnyExcept(Canary), "written in front of the destination");
            output.Write(destination[..written]);
            payload = payload[consumed..];
            if (status is OperationStatus.Done or OperationStatus.InvalidData || output.WrittenCount >= MaxOutput)
            {
                Oracle.That(status != OperationStatus.Done || payload.IsEmpty, "a message is complete before its end");
                inflated = output.WrittenSpan.ToArray();
                return status;
            }

            Oracle.That(status == OperationStatus.DestinationTooSmall || (status == OperationStatus.NeedMoreData && !isEnd && consumed == source.Length), $"{status}, {consumed} of {source.Length} bytes, end {isEnd}");
        }
    }

    private static void CheckFramework(ReadOnlySpan<byte> wire, List<byte> expected, bool isValid, bool isTruncated)
    {
        using var source = new MemoryStream(wire.ToArray());
        using var inflater = new DeflateStream(source, CompressionMode.Decompress);
        var output = new byte[expected.Count + 1];
        int length;
        try
        {
            length = inflater.ReadAtLeast(output, output.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException)
        {
            Oracle.That(!isValid, "the framework refuses what the model inflates");
            return;
        }

        Oracle.That(isValid || isTruncated, "the framework inflates what the model refuses");
        Oracle.Equal(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(expected), output.AsSpan(0, length), "the framework's output");
    }
}
