using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Compression;

public class DeflateDecoderTests
{
    public static TheoryData<string> Kinds => [.. Samples.Kinds];

    // Differential: what zlib writes at any level.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decompress_WhatZlibWrites_IsTheMessage(string kind)
    {
        foreach (var size in (int[])[.. Samples.Sizes, 1 << 20])
        {
            var message = Samples.Create(kind, size);
            foreach (var level in Enum.GetValues<CompressionLevel>())
                Inflate(Zlib.Compress(message, level)).AsSpan().SequenceEqual(message).Should().BeTrue("{0} bytes at {1}", size, level);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decompress_WhatOurEncoderWrites_IsTheMessage(string kind)
    {
        foreach (var size in Samples.Sizes)
        {
            for (var bits = 8; bits <= 15; bits++)
            {
                var message = Samples.Create(kind, size);
                using var decoder = new DeflateDecoder(bits, takesOver: false);
                Inflate(decoder, Compress(message, bits)).AsSpan().SequenceEqual(message).Should().BeTrue("{0} bytes, {1} bits", size, bits);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(15)]
    public void Decompress_Takeover_GoesOnWithItsHistory(int bits)
    {
        var encoder = new DeflateEncoder(bits);
        using var decoder = new DeflateDecoder(bits, takesOver: true);
        for (var i = 0; i < 300; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % Samples.Kinds.Length], i % 50 == 0 ? 100_000 : i * 61 % 3000, i % 7);
            var payload = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
            payload = payload[..encoder.CompressNext(message, payload)];
            Inflate(decoder, payload, outputSize: 1 + i * 997 % 5000).AsSpan().SequenceEqual(message).Should().BeTrue("message {0}", i);
        }
    }

    [Fact]
    public void Decompress_ZlibTakeover_GoesOnWithItsHistory()
    {
        using var zlib = new Zlib.Compressor();
        using var decoder = new DeflateDecoder(15, takesOver: true);
        for (var i = 0; i < 200; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % Samples.Kinds.Length], 1 + i * 61 % 3000, i % 7);
            Inflate(decoder, zlib.Next(message)).AsSpan().SequenceEqual(message).Should().BeTrue("message {0}", i);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decompress_EverySplit_IsTheMessage(string kind)
    {
        var message = Samples.Create(kind, 700);
        foreach (var payload in (byte[][])[Zlib.Compress(message), Compress(message, 15), Zlib.Compress(message, CompressionLevel.NoCompression), Compress(message, 8)])
        {
            for (var split = 0; split <= payload.Length; split++)
                Inflate([payload[..split], payload[split..]], 4096).Should().Equal(message, "split at {0}", split);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decompress_ByteByByteInAndOut_IsTheMessage(string kind)
    {
        var message = Samples.Create(kind, 3000);
        foreach (var payload in (byte[][])[Zlib.Compress(message), Compress(message, 15), Zlib.Compress(message, CompressionLevel.NoCompression)])
        {
            foreach (var outputSize in (int[])[1, 2, 7, 258, 266, 300])
                Inflate([.. payload.Select(value => (byte[])[value])], outputSize).Should().Equal(message, "output by {0}", outputSize);
        }
    }

    // Larger than the window, so that its history turns over while it is inflated in pieces.
    [Fact]
    public void Decompress_LargeMessageInRandomPieces_IsTheMessage()
    {
        var random = new Random(5);
        var message = Samples.Create("mixed", 300_000);
        var payload = Zlib.Compress(message, CompressionLevel.SmallestSize);
        for (var round = 0; round < 20; round++)
        {
            var pieces = new List<byte[]>();
            for (var at = 0; at < payload.Length;)
            {
                var count = Math.Min(random.Next(0, 5000), payload.Length - at);
                pieces.Add(payload[at..(at + count)]);
                at += count;
            }

            Inflate([.. pieces], random.Next(1, 40_000)).AsSpan().SequenceEqual(message).Should().BeTrue();
        }
    }

    // RFC 7692 §7.2.3.1–7.2.3.6
    [Theory]
    [InlineData("F248CDC9C90700")]                        // one block
    [InlineData("F248050000 00FFFF CAC9C90700")]          // two blocks, with an empty one between them
    [InlineData("000500FAFF48656C6C6F00")]                // a stored block
    [InlineData("F348CDC9C90700 00")]                     // BFINAL set, and the empty block that §7.2.3.4 wants behind it
    [InlineData("F348CDC9C90700")]                        // BFINAL set, and nothing behind it
    public void Decompress_ExamplesOfTheRfc_AreHello(string payload) =>
        Encoding.ASCII.GetString(Inflate(Hex(payload))).Should().Be("Hello");

    [Fact]
    public void Decompress_SecondExampleWithTakeover_IsHelloAgain()
    {
        using var decoder = new DeflateDecoder(15, takesOver: true);
        Encoding.ASCII.GetString(Inflate(decoder, Hex("F248CDC9C90700"))).Should().Be("Hello");
        Encoding.ASCII.GetString(Inflate(decoder, Hex("F200110000"))).Should().Be("Hello");
    }

    [Fact]
    public void Decompress_BlocksWithBfinal_KeepTheHistory()
    {
        using var decoder = new DeflateDecoder(15, takesOver: true);
        for (var i = 0; i < 3; i++)
            Encoding.ASCII.GetString(Inflate(decoder, Hex("F348CDC9C90700 F348CDC9C90700 00"))).Should().Be("HelloHello");
        Encoding.ASCII.GetString(Inflate(decoder, Hex("F200110000"))).Should().Be("Hello");
    }

    [Theory]
    [InlineData("00")]    // RFC 7692 §7.2.3.6
    [InlineData("")]      // what some senders make of it
    [InlineData("0200")]  // an empty fixed block
    public void Decompress_EmptyMessage_IsEmpty(string payload) => Inflate(Hex(payload)).Should().BeEmpty();

    [Theory]
    [InlineData("06", "block type 3")]
    [InlineData("07", "block type 3")]
    [InlineData("000500FAFE48656C6C6F00", "stored length and its complement")]
    [InlineData("F248CDC9C9", "ends in a block")]
    [InlineData("000500FAFF4865", "ends in a stored block")]
    [InlineData("04", "ends in a dynamic header")]
    [InlineData("F200110000", "a match before the begin")]
    [InlineData("FCFF", "too many length codes")]
    [InlineData("ECC00101000000", "code lengths overdrawn or unused")]
    public void Decompress_Corrupt_IsInvalidData(string payload, string because)
    {
        using var decoder = new DeflateDecoder(15, takesOver: false);
        TryInflate(decoder, Hex(payload), 4096, 1 << 20).Status.Should().Be(OperationStatus.InvalidData, because);
    }

    [Fact]
    public void Decompress_TrailingOctets_AreInvalidData()
    {
        using var decoder = new DeflateDecoder(15, takesOver: false);
        TryInflate(decoder, Hex("F248CDC9C90700 FFFFFFFF"), 4096, 1 << 20).Status.Should().Be(OperationStatus.InvalidData);
    }

    // RFC 7692 §7.1.2: the peer has agreed on a window.
    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(14)]
    public void Decompress_BeyondTheWindow_IsInvalidData(int bits)
    {
        var noise = Samples.Create("random", (1 << bits) + 1, seed: 3);
        var message = (byte[])[.. noise, .. noise[..100]];
        var payload = Compress(message, bits + 1);
        using var decoder = new DeflateDecoder(bits, takesOver: false);
        TryInflate(decoder, payload, 1 << 20, 1 << 20).Status.Should().Be(OperationStatus.InvalidData);
        using var larger = new DeflateDecoder(bits + 1, takesOver: false);
        Inflate(larger, payload).Should().Equal(message);
    }

    [Fact]
    public void Decompress_Without_Takeover_ForgetsTheLastMessage()
    {
        using var decoder = new DeflateDecoder(15, takesOver: false);
        Inflate(decoder, Hex("F248CDC9C90700"));
        TryInflate(decoder, Hex("F200110000"), 4096, 1 << 20).Status.Should().Be(OperationStatus.InvalidData);
    }

    [Fact]
    public void Decompress_ExactRoom_IsDone()
    {
        var message = Samples.Create("json", 1000);
        var payload = Zlib.Compress(message);
        using var decoder = new DeflateDecoder(15, takesOver: false);
        decoder.Decompress(payload, new byte[1000], isEndOfMessage: true, out var consumed, out var written).Should().Be(OperationStatus.Done);
        (consumed, written).Should().Be((payload.Length, 1000));
    }

    [Fact]
    public void Decompress_OneByteShort_SaysSoAndGoesOn()
    {
        var message = Samples.Create("json", 1000);
        var payload = Zlib.Compress(message);
        using var decoder = new DeflateDecoder(15, takesOver: false);
        decoder.Decompress(payload, new byte[999], isEndOfMessage: true, out var consumed, out var written).Should().Be(OperationStatus.DestinationTooSmall);
        written.Should().Be(999);
        var rest = new byte[10];
        decoder.Decompress(payload.AsSpan(consumed), rest, isEndOfMessage: true, out _, out written).Should().Be(OperationStatus.Done);
        rest[..written].Should().Equal(message[999]);
    }

    // Whatever a peer sends: an answer within bounds, no exception, no endless loop, and zlib agrees where it is valid.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decompress_MutatedStreams_NeverThrowNorPassTheLimit(string kind)
    {
        const int Limit = 20_000;
        var random = new Random(11);
        using var reused = new DeflateDecoder(15, takesOver: true);
        for (var round = 0; round < 1500; round++)
        {
            var message = Samples.Create(kind, random.Next(1, 3000), round % 10);
            var payload = round % 3 == 0 ? Compress(message, 8 + round % 8) : Zlib.Compress(message, (CompressionLevel)(round % 4));
            for (var mutations = random.Next(1, 4); mutations > 0; mutations--)
            {
                switch (random.Next(4))
                {
                    case 0:
                        payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        payload[random.Next(payload.Length)] = (byte)random.Next(256);
                        break;
                    case 2:
                        payload = payload[..random.Next(1, payload.Length + 1)];
                        break;
                    default:
                        payload = [.. payload, .. Samples.Create("random", random.Next(1, 9), round)];
                        break;
                }
            }

            using var decoder = new DeflateDecoder(15, takesOver: false);
            var (status, output) = TryInflate(decoder, payload, random.Next(1, 5000), Limit);
            status.Should().BeOneOf(OperationStatus.Done, OperationStatus.InvalidData, OperationStatus.DestinationTooSmall);
            output.Length.Should().BeLessThanOrEqualTo(Limit);
            if (status == OperationStatus.Done)
                ZlibAgrees(payload, output);
        }
    }

    [Fact]
    public void Decompress_RandomBytes_NeverThrow()
    {
        var random = new Random(23);
        for (var round = 0; round < 20_000; round++)
        {
            var payload = new byte[random.Next(1, 200)];
            random.NextBytes(payload);
            // A plausible beginning gets further than noise.
            payload[0] = (byte)(payload[0] & 0xF8 | (round % 2 == 0 ? 4 : 2));
            using var decoder = new DeflateDecoder(8 + round % 8, takesOver: round % 2 == 0);
            var (status, output) = TryInflate(decoder, payload, 1 + round % 700, 10_000);
            status.Should().BeOneOf(OperationStatus.Done, OperationStatus.InvalidData, OperationStatus.DestinationTooSmall);
            output.Length.Should().BeLessThanOrEqualTo(10_000);
        }
    }

    // After corrupt data nothing more comes out, and the tables that were lent go on working for others.
    [Fact]
    public void Decompress_AfterCorruption_OthersAreNotTouched()
    {
        for (var i = 0; i < 100; i++)
        {
            var decoder = new DeflateDecoder(15, takesOver: false);
            TryInflate(decoder, Hex("F248CDC9C9"), 3, 1000).Status.Should().Be(OperationStatus.InvalidData);
            decoder.Decompress(Hex("F248CDC9C90700"), new byte[100], isEndOfMessage: true, out _, out var written).Should().Be(OperationStatus.InvalidData);
            written.Should().Be(0);
            decoder.Dispose();
            Encoding.ASCII.GetString(Inflate(Hex("F248CDC9C90700"))).Should().Be("Hello");
        }
    }

#if !CHECKING_POOL
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decompress_SteadyState_AllocatesNothing(bool takesOver)
    {
        var payload = Zlib.Compress(Samples.Create("json", 1024));
        var output = new byte[2000];
        using var decoder = new DeflateDecoder(15, takesOver);
        for (var i = 0; i < 100; i++)
            Once();
        // A collection may empty the pool of windows: the best of some rounds is the steady state.
        var least = long.MaxValue;
        for (var round = 0; round < 16 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
                Once();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        least.Should().Be(0);

        void Once()
        {
            decoder.Decompress(payload.AsSpan(0, 100), output, isEndOfMessage: false, out _, out var written);
            decoder.Decompress(payload.AsSpan(100), output.AsSpan(written), isEndOfMessage: true, out _, out _);
        }
    }
#endif

    private static void ZlibAgrees(byte[] payload, byte[] output)
    {
        byte[] zlibs;
        try
        {
            zlibs = Zlib.Inflate(payload);
        }
        catch (InvalidDataException)
        {
            zlibs = [];
            Assert.Fail($"zlib refuses {Convert.ToHexString(payload)}");
        }

        // zlib stops at a block with BFINAL, where a message may go on.
        output.AsSpan().StartsWith(zlibs).Should().BeTrue();
    }

    private static byte[] Compress(byte[] message, int bits)
    {
        var destination = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
        return destination[..DeflateEncoder.Compress(message, destination, bits)];
    }

    private static byte[] Inflate(byte[] payload) => Inflate([payload], 1 << 16);

    private static byte[] Inflate(byte[][] pieces, int outputSize)
    {
        using var decoder = new DeflateDecoder(15, takesOver: false);
        return Inflate(decoder, pieces, outputSize);
    }

    private static byte[] Inflate(DeflateDecoder decoder, byte[] payload, int outputSize = 1 << 16) => Inflate(decoder, [payload], outputSize);

    private static byte[] Inflate(DeflateDecoder decoder, byte[][] pieces, int outputSize)
    {
        var (status, output) = TryInflate(decoder, pieces, outputSize, int.MaxValue);
        status.Should().Be(OperationStatus.Done);
        return output;
    }

    private static (OperationStatus Status, byte[] Output) TryInflate(DeflateDecoder decoder, byte[] payload, int outputSize, int limit) =>
        TryInflate(decoder, [payload], outputSize, limit);

    private static (OperationStatus Status, byte[] Output) TryInflate(DeflateDecoder decoder, byte[][] pieces, int outputSize, int limit)
    {
        var output = new MemoryStream();
        var buffer = new byte[outputSize];
        var status = OperationStatus.NeedMoreData;
        for (var i = 0; i < Math.Max(pieces.Length, 1); i++)
        {
            var rest = pieces.Length == 0 ? default : pieces[i].AsSpan();
            var isLast = i >= pieces.Length - 1;
            do
            {
                var room = (int)Math.Min(outputSize, limit - output.Length);
                status = decoder.Decompress(rest, buffer.AsSpan(0, room), isLast, out var consumed, out var written);
                output.Write(buffer, 0, written);
                rest = rest[consumed..];
                if (status == OperationStatus.InvalidData || (status == OperationStatus.DestinationTooSmall && room == 0))
                    return (status, output.ToArray());
            }
            while (status == OperationStatus.DestinationTooSmall);

            rest.Length.Should().Be(0, "all of the source is used");
            status.Should().Be(isLast ? OperationStatus.Done : OperationStatus.NeedMoreData);
        }

        return (status, output.ToArray());
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
