namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketMaskTests
{
    private const uint Key = 0x3d21fa37;   // 37 fa 21 3d on the wire
    private static readonly byte[] WireKey = [0x37, 0xfa, 0x21, 0x3d];

    // RFC 6455 §5.7: "a single-frame masked text message" of "Hello".
    [Fact]
    public void Apply_ExampleOfTheRfc_IsHello()
    {
        byte[] payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        WebSocketMask.Apply(payload, Key);
        payload.Should().Equal("Hello"u8.ToArray());
    }

    // Lengths around every vector width and the unrolled loop, at every alignment and phase; the bytes around stay as they are.
    [Fact]
    public void Apply_EveryLengthAlignmentAndPhase_XorsEachByteOnce()
    {
        var random = new Random(6455);
        var lengths = Enumerable.Range(0, 300).Concat([511, 512, 513, 575, 576, 577, 1000, 1023, 1024, 1025, 4096, 4099, 65_539]);
        foreach (var length in lengths)
        {
            for (var offset = 0; offset < (length < 300 ? 8 : 70); offset += length < 300 ? 1 : 3)
            {
                for (var phase = 0; phase < 4; phase++)
                {
                    var original = new byte[offset + length + 64];
                    random.NextBytes(original);
                    var expected = (byte[])original.Clone();
                    for (var i = 0; i < length; i++)
                        expected[offset + i] ^= WireKey[(i + phase) % 4];

                    var key = WebSocketMask.Rotate(Key, phase);
                    var inPlace = (byte[])original.Clone();
                    var next = WebSocketMask.Apply(inPlace.AsSpan(offset, length), key);
                    var copied = (byte[])original.Clone();
                    var nextOfCopy = WebSocketMask.Apply(original.AsSpan(offset, length), copied.AsSpan(offset), key);

                    if (!inPlace.AsSpan().SequenceEqual(expected) || !copied.AsSpan().SequenceEqual(expected))
                        Assert.Fail($"length {length}, offset {offset}, phase {phase}");
                    if (next != WebSocketMask.Rotate(Key, phase + length) || nextOfCopy != next)
                        Assert.Fail($"key after length {length}, phase {phase}");
                }
            }
        }
    }

    [Fact]
    public void Apply_InRandomChunks_IsTheSameAsAtOnce()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var original = new byte[random.Next(1000)];
            random.NextBytes(original);
            var atOnce = (byte[])original.Clone();
            WebSocketMask.Apply(atOnce, Key);

            var key = Key;
            var chunked = (byte[])original.Clone();
            for (var rest = chunked.AsSpan(); !rest.IsEmpty;)
            {
                var length = Math.Min(rest.Length, random.Next(100));
                key = WebSocketMask.Apply(rest[..length], key);
                rest = rest[length..];
            }

            if (!chunked.AsSpan().SequenceEqual(atOnce))
                Assert.Fail($"seed {seed}");
        }
    }

    [Fact]
    public void Apply_Twice_IsTheOriginal()
    {
        var payload = Enumerable.Range(0, 777).Select(i => (byte)i).ToArray();
        var original = (byte[])payload.Clone();
        WebSocketMask.Apply(payload, Key);
        payload.Should().NotEqual(original);
        WebSocketMask.Apply(payload, payload, Key);
        payload.Should().Equal(original);
    }

    [Fact]
    public void Apply_DestinationShorterOrShifted_Throws()
    {
        var bytes = new byte[20];
        var shorter = () => WebSocketMask.Apply(bytes.AsSpan(0, 5), new byte[4], Key);
        var ahead = () => WebSocketMask.Apply(bytes.AsSpan(0, 10), bytes.AsSpan(1), Key);
        var behind = () => WebSocketMask.Apply(bytes.AsSpan(1, 10), bytes.AsSpan(0), Key);
        shorter.Should().Throw<ArgumentException>();
        ahead.Should().Throw<ArgumentException>();
        behind.Should().Throw<ArgumentException>();
    }

    [Theory]
    [InlineData(0, 0x3d21fa37u)]
    [InlineData(1, 0x373d21fau)]
    [InlineData(2, 0xfa373d21u)]
    [InlineData(3, 0x21fa373du)]
    [InlineData(4, 0x3d21fa37u)]
    [InlineData((1L << 40) + 1, 0x373d21fau)]
    [InlineData(long.MaxValue, 0x21fa373du)]
    public void Rotate_Count_MovesTheKeyToTheNextByte(long count, uint expected) => WebSocketMask.Rotate(Key, count).Should().Be(expected);

    [Fact]
    public void Next_ManyKeysOnManyThreads_AreDistinctAndUseEveryBit()
    {
        var keys = new uint[4][];
        var threads = Enumerable.Range(0, keys.Length).Select(n => new Thread(() => keys[n] = [.. Enumerable.Range(0, 1000).Select(_ => WebSocketMaskingKeys.Next())])).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        // 4,000 draws of 32 bits: more than ten pairs of equals has a chance below 10^-30.
        var all = keys.SelectMany(k => k).ToArray();
        all.Distinct().Count().Should().BeGreaterThan(all.Length - 10);
        all.Aggregate((a, b) => a | b).Should().Be(uint.MaxValue);
        all.Aggregate((a, b) => a & b).Should().Be(0);
    }

    [Fact]
    public void ApplyAndNext_Warm_AllocateNothing()
    {
        var payload = new byte[1000];
        WebSocketMask.Apply(payload, WebSocketMaskingKeys.Next());
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            WebSocketMask.Apply(payload, WebSocketMaskingKeys.Next());
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }
}
