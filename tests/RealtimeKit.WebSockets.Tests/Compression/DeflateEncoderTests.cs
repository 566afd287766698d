using System.Runtime.CompilerServices;

namespace RealtimeKit.WebSockets.Tests.Compression;

public class DeflateEncoderTests
{
    public static TheoryData<string> Kinds => [.. Samples.Kinds];

    public static TheoryData<string, int> KindsAndWindows
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var kind in Samples.Kinds)
                for (var bits = 8; bits <= 15; bits++)
                    data.Add(kind, bits);
            return data;
        }
    }

    // Differential: zlib inflates to the same.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Compress_AnySize_ZlibInflatesIt(string kind)
    {
        foreach (var size in Samples.Sizes)
        {
            var message = Samples.Create(kind, size);
            for (var bits = 8; bits <= 15; bits++)
                Zlib.Inflate(Compress(message, bits)).Should().Equal(message, "{0} bytes, {1} bits", size, bits);
        }
    }

    [Fact]
    public void Compress_Mebibyte_ZlibInflatesIt()
    {
        foreach (var kind in Samples.Kinds)
        {
            var message = Samples.Create(kind, 1 << 20);
            Zlib.Inflate(Compress(message, 15)).AsSpan().SequenceEqual(message).Should().BeTrue();
        }
    }

    // A match that gives way to a longer one at the next byte leaves a literal, and both come at once: the block may have room for one.
    [Fact]
    public void Compress_LiteralAndMatchAtTheEndOfABlock_ZlibInflatesIt()
    {
        var random = new Random(42);
        var repeated = new byte[48];
        random.NextBytes(repeated);
        byte[] prefixed = [1, .. repeated];
        for (var missing = 0; missing < 96; missing++)
        {
            var filling = new byte[DeflateBlock.Capacity - missing];
            random.NextBytes(filling);
            byte[] message = [.. prefixed[..4], 2, .. repeated, .. filling, .. prefixed, .. prefixed];
            Zlib.Inflate(Compress(message, 15)).AsSpan().SequenceEqual(message).Should().BeTrue();
        }
    }

    // RFC 7692 §7.1.2: an inflater that keeps exactly the agreed window is enough.
    [Theory]
    [MemberData(nameof(KindsAndWindows))]
    public void Compress_SmallWindow_NeverLooksFurtherBack(string kind, int bits)
    {
        foreach (var size in (int[])[300, 5000, 70_000 >> Math.Max(0, 15 - bits - 3)])
        {
            var message = Samples.Create(kind, size);
            new ReferenceInflater(bits, takesOver: false).Inflate(Compress(message, bits)).AsSpan().SequenceEqual(message).Should().BeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(KindsAndWindows))]
    public void CompressNext_SmallWindow_NeverLooksFurtherBack(string kind, int bits)
    {
        var encoder = new DeflateEncoder(bits);
        var inflater = new ReferenceInflater(bits, takesOver: true);
        for (var i = 0; i < 40; i++)
        {
            var message = Samples.Create(kind, i * 37 % 1700, i);
            inflater.Inflate(CompressNext(encoder, message)).AsSpan().SequenceEqual(message).Should().BeTrue("message {0}", i);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(15)]
    public void Compress_RepeatJustWithinReach_IsFound(int bits)
    {
        // Behind a window of noise comes its beginning again.
        var noise = Samples.Create("random", 1 << bits, seed: 3);
        var message = (byte[])[.. noise, .. noise[..100]];
        var inflater = new ReferenceInflater(bits, takesOver: false);
        inflater.Inflate(Compress(message, bits)).Should().Equal(message);
        inflater.LongestDistance.Should().Be(1 << bits, "all of the window is used");
    }

    [Fact]
    public void CompressNext_ManyMessagesOfManySizes_ZlibInflatesThemInOrder()
    {
        var encoder = new DeflateEncoder(15);
        var payloads = new List<byte[]>();
        var messages = new List<byte>();
        for (var i = 0; i < 300; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % Samples.Kinds.Length], i % 50 == 0 ? 100_000 : i * 61 % 3000, i % 7);
            payloads.Add(CompressNext(encoder, message));
            messages.AddRange(message);
        }

        Zlib.InflateAll([.. payloads]).AsSpan().SequenceEqual(messages.ToArray()).Should().BeTrue();
    }

    [Fact]
    public void CompressNext_RepeatedMessage_BecomesTiny()
    {
        var encoder = new DeflateEncoder(15);
        var message = Samples.Create("json", 1024);
        var first = CompressNext(encoder, message);
        var second = CompressNext(encoder, message);
        second.Length.Should().BeLessThan(first.Length / 10);
    }

    // RFC 7692 §7.2.3.6
    [Fact]
    public void Compress_EmptyMessage_IsOneZeroByte()
    {
        Compress([], 15).Should().Equal(0);
        CompressNext(new DeflateEncoder(15), []).Should().Equal(0);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Compress_Anything_StaysWithinItsBound(string kind)
    {
        foreach (var size in Samples.Sizes)
            Compress(Samples.Create(kind, size), 15).Length.Should().BeLessThanOrEqualTo(DeflateEncoder.GetMaxCompressedLength(size) - DeflateBitWriter.Slack);
    }

    // The target is at most 5 % more than zlib's default for JSON of 1 KiB.
    [Fact]
    public void Compress_Json_IsAsSmallAsZlibs()
    {
        foreach (var size in (int[])[128, 1024, 4096, 65_536])
        {
            var ours = 0;
            var zlibs = 0;
            for (var seed = 0; seed < 20; seed++)
            {
                var message = Samples.Create("json", size, seed);
                ours += Compress(message, 15).Length;
                zlibs += Zlib.Compress(message).Length;
            }

            ((double)ours / zlibs).Should().BeLessThan(1.05, "of {0} bytes", size);
        }
    }

    [Fact]
    public void CompressNext_Json_IsAsSmallAsZlibs()
    {
        using var zlib = new Zlib.Compressor();
        var encoder = new DeflateEncoder(15);
        var ours = 0;
        var zlibs = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var message = Samples.Create("json", 1024, seed);
            ours += CompressNext(encoder, message).Length;
            zlibs += zlib.Next(message).Length;
        }

        ((double)ours / zlibs).Should().BeLessThan(1.02);
    }

    // Two billion bytes later positions begin again: nothing may be found where it no longer is.
    [Fact]
    public void Begin_PositionsRunOut_StartsAgain()
    {
        var message = Samples.Create("json", 3000);
        var matcher = new DeflateMatcher(15);
        NextPosition(matcher) = int.MaxValue - 100_000;
        for (var i = 0; i < 100; i++)
            Zlib.Inflate(Parse(matcher, message)).Should().Equal(message);
        NextPosition(matcher).Should().BeLessThan(1_000_000, "the positions have begun again");
    }

    [Fact]
    public void CompressNext_PositionsRunOut_StartsAgain()
    {
        var encoder = new DeflateEncoder(9);
        var matcher = Matcher(encoder);
        NextPosition(matcher) = int.MaxValue - 50_000;
        matcher.Begin(1024, 9, hasHistory: true);
        var inflater = new ReferenceInflater(9, takesOver: true);
        for (var i = 0; i < 100; i++)
        {
            var message = Samples.Create("json", 1500, i);
            inflater.Inflate(CompressNext(encoder, message)).Should().Equal(message);
        }

        NextPosition(matcher).Should().BeLessThan(1_000_000, "the positions have begun again");
    }

    [Fact]
    public void Compress_SteadyState_AllocatesNothing()
    {
        var message = Samples.Create("json", 1024);
        var destination = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
        var encoder = new DeflateEncoder(15);
        for (var i = 0; i < 100; i++)
        {
            DeflateEncoder.Compress(message, destination, 15);
            encoder.CompressNext(message, destination);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            DeflateEncoder.Compress(message, destination, 15);
            encoder.CompressNext(message, destination);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    private static byte[] Compress(byte[] message, int bits)
    {
        var destination = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
        return destination[..DeflateEncoder.Compress(message, destination, bits)];
    }

    private static byte[] CompressNext(DeflateEncoder encoder, byte[] message)
    {
        var destination = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
        return destination[..encoder.CompressNext(message, destination)];
    }

    private static byte[] Parse(DeflateMatcher matcher, byte[] message)
    {
        var destination = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
        var output = new DeflateBitWriter(destination);
        var block = new DeflateBlock();
        var written = 0;
        matcher.Begin(message.Length, 15, hasHistory: false);
        matcher.Parse(message, 0, message, 0, ref written, block, ref output);
        block.Write(ref output, message.AsSpan(written));
        output.Write(0, 3);
        output.Align();
        return destination[..output.Length];
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_next")]
    private static extern ref int NextPosition(DeflateMatcher matcher);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_matcher")]
    private static extern ref DeflateMatcher Matcher(DeflateEncoder encoder);
}
