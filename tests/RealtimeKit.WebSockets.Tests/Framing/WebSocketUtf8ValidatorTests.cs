using System.Text;
using System.Text.Unicode;

namespace RealtimeKit.WebSockets.Tests.Framing;

// RFC 6455 §8.1, RFC 3629.
public class WebSocketUtf8ValidatorTests
{
    // Around every vector width, the head of sixteen and the unrolled loop.
    private static readonly int[] Paddings = [0, 1, 2, 3, 7, 8, 12, 13, 14, 15, 16, 17, 18, 30, 45, 61, 77, 78, 79, 80, 93, 143, 207, 271, 335];

    [Fact]
    public void IsValid_EverySequenceOfOneAndTwoBytes_AgreesWithTheRuntime()
    {
        for (var value = 0; value < 0x10000; value++)
        {
            AssertAgrees([(byte)value]);
            AssertAgrees([(byte)(value >> 8), (byte)value]);
        }
    }

    // Every lead byte with every pair that follows.
    [Fact]
    public void IsValid_EverySequenceOfThreeBytes_AgreesWithTheRuntime()
    {
        Span<byte> bytes = stackalloc byte[3];
        Span<byte> long_ = stackalloc byte[100];
        long_.Fill((byte)'a');
        for (var value = 0; value < 0x1000000; value++)
        {
            bytes[0] = (byte)(value >> 16);
            bytes[1] = (byte)(value >> 8);
            bytes[2] = (byte)value;
            var expected = Utf8.IsValid(bytes);
            if (WebSocketUtf8Validator.IsValid(bytes) != expected)
                Assert.Fail(Convert.ToHexString(bytes));

            // Also where the widest vectors look at it; ASCII pairs are left out, they are tried everywhere.
            if (bytes[0] >= 0x80)
            {
                bytes.CopyTo(long_[62..]);
                if (WebSocketUtf8Validator.IsValid(long_) != expected)
                    Assert.Fail($"in a long text: {Convert.ToHexString(bytes)}");
            }
        }
    }

    // Four bytes at the edges of every range of RFC 3629 §4, at every place in texts around every width.
    [Fact]
    public void IsValid_EdgesOfFourBytes_AgreeWithTheRuntimeEverywhere()
    {
        byte[] leads = [0x41, 0x7F, 0x80, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF];
        byte[] seconds = [0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xED, 0xF4];
        byte[] others = [0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xE1, 0xF0];
        foreach (var lead in leads)
            foreach (var second in seconds)
                foreach (var third in others)
                    foreach (var fourth in others)
                    {
                        byte[] sequence = [lead, second, third, fourth];
                        var expected = Utf8.IsValid(sequence);
                        foreach (var padding in Paddings)
                        {
                            AssertIs(expected, [.. Enumerable.Repeat((byte)'a', padding), .. sequence]);
                            AssertIs(expected, [.. sequence, .. Enumerable.Repeat((byte)'a', padding)]);
                        }
                    }
    }

    // One wrong byte at each place of long valid texts of characters of each length.
    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    [InlineData("界")]
    [InlineData("😀")]
    [InlineData("aé界😀")]
    public void IsValid_OneByteBroken_AgreesWithTheRuntime(string pattern)
    {
        foreach (var repeat in new[] { 1, 3, 6, 20, 50, 200 })
        {
            var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(pattern, repeat)));
            WebSocketUtf8Validator.IsValid(text).Should().BeTrue();
            for (var at = 0; at < text.Length; at++)
            {
                var original = text[at];
                foreach (var wrong in new byte[] { 0x41, 0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xF8, 0xFF })
                {
                    text[at] = wrong;
                    AssertAgrees(text);
                }

                text[at] = original;
                AssertAgrees(text[..at]);
                AssertAgrees(text[at..]);
            }
        }
    }

    // What lies before and after the text in memory must not count: lead bytes before it, continuations and lead bytes after it.
    [Fact]
    public void IsValid_TextAmongOtherBytes_LooksAtTheTextOnly()
    {
        foreach (var surrounding in new byte[] { 0x80, 0xC3, 0xE7, 0xF0, 0xFF })
        {
            for (var length = 0; length < 700; length++)
            {
                foreach (var (character, at) in new[] { ("", 0), ("é", 0), ("界", 0), ("😀", 0), ("é", length - 2), ("界", length - 3), ("😀", length - 4), ("界", length / 2) })
                {
                    var memory = Enumerable.Repeat(surrounding, length + 200).ToArray();
                    var text = memory.AsSpan(100, length);
                    text.Fill((byte)'a');
                    if (at < 0 || at + Encoding.UTF8.GetByteCount(character) > length)
                        continue;
                    Encoding.UTF8.GetBytes(character, text[at..]);
                    if (!WebSocketUtf8Validator.IsValid(text) || !new WebSocketUtf8Validator().Append(text))
                        Assert.Fail($"{length} bytes, {character} at {at}, among {surrounding:X2}");
                }
            }
        }
    }

    [Fact]
    public void IsValid_RandomTexts_AgreesWithTheRuntime()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = RandomText(random);
            var memory = new byte[text.Length + 160];
            random.NextBytes(memory);
            text.CopyTo(memory, 80);
            if (WebSocketUtf8Validator.IsValid(memory.AsSpan(80, text.Length)) != Utf8.IsValid(text))
                Assert.Fail($"seed {seed}: {Convert.ToHexString(text)}");
        }
    }

    // Wherever the chunks part, Append says no exactly when the reference does, after the same chunk.
    [Fact]
    public void Append_RandomChunks_FailsWithTheChunkThatHoldsTheFirstWrongByte()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = RandomText(random);
            var (firstWrong, isComplete) = Reference.Run(text);
            var validator = default(WebSocketUtf8Validator);
            for (var at = 0; at < text.Length;)
            {
                var length = Math.Min(text.Length - at, random.Next(random.Next(4) == 0 ? 200 : 6));
                var expected = firstWrong < 0 || firstWrong >= at + length;
                at += length;
                if (validator.Append(text.AsSpan(at - length, length)) != expected || validator.IsInvalid == expected)
                    Assert.Fail($"seed {seed} at {at}: expected {expected}: {Convert.ToHexString(text)}");
            }

            if (validator.IsComplete != isComplete)
                Assert.Fail($"seed {seed} at the end: {Convert.ToHexString(text)}");
        }
    }

    // Every split in two of sequences at the edges, in short and long texts.
    [Fact]
    public void Append_EverySplit_AgreesWithTheReference()
    {
        string[] sequences =
        [
            "41", "C3A9", "E7958C", "F09F9880", "F48FBFBF", "EE8080", "ED9FBF", "E0A080", "F0908080",
            "80", "BF", "C0", "C080", "C1BF", "C3", "C341", "C3C3", "E080", "E09F", "E7", "E795", "E79541", "E795C3", "EDA0", "EDBFBF",
            "F0", "F080", "F08F", "F09F", "F09F98", "F09F9841", "F09F98C3", "F490", "F4BF", "F5", "F580", "F888", "FF", "FE", "E7958C80", "C3A9BF",
        ];
        foreach (var hex in sequences)
        {
            foreach (var (before, after) in new[] { (0, 0), (0, 5), (5, 0), (1, 20), (20, 1), (62, 90), (64, 64), (300, 300) })
            {
                byte[] text = [.. Enumerable.Repeat((byte)'a', before), .. Convert.FromHexString(hex), .. Enumerable.Repeat((byte)'b', after)];
                var (firstWrong, isComplete) = Reference.Run(text);
                for (var at = 0; at <= text.Length; at++)
                {
                    var validator = default(WebSocketUtf8Validator);
                    validator.Append(text.AsSpan(0, at)).Should().Be(firstWrong < 0 || firstWrong >= at);
                    validator.Append(text.AsSpan(at)).Should().Be(firstWrong < 0);
                    validator.IsComplete.Should().Be(isComplete);
                }
            }
        }
    }

    // RFC 6455 §8.1: refused at the earliest byte, while the frame is still arriving.
    [Theory]
    [InlineData("C0", 0)]
    [InlineData("C1", 0)]
    [InlineData("80", 0)]
    [InlineData("F5", 0)]
    [InlineData("FF", 0)]
    [InlineData("E080", 1)]
    [InlineData("E09F", 1)]
    [InlineData("EDA0", 1)]
    [InlineData("F080", 1)]
    [InlineData("F08F", 1)]
    [InlineData("F490", 1)]
    [InlineData("E79541", 2)]
    [InlineData("F09F98C0", 3)]
    [InlineData("CEBAE1BDB9CF83CEBCCEB5F4908080656469746564", 12)]   // the text of the public conformance suite, 6.4
    public void Append_ByteByByte_FailsAtTheFirstWrongByte(string hex, int firstWrong)
    {
        var text = Convert.FromHexString(hex);
        var validator = default(WebSocketUtf8Validator);
        for (var i = 0; i < text.Length; i++)
            validator.Append(text.AsSpan(i, 1)).Should().Be(i < firstWrong, "byte {0}", i);

        // And in one chunk that ends with that byte, or one before it.
        new WebSocketUtf8Validator().Append(text.AsSpan(0, firstWrong + 1)).Should().BeFalse();
        new WebSocketUtf8Validator().Append(text.AsSpan(0, firstWrong)).Should().BeTrue();
    }

    [Fact]
    public void IsComplete_InsideCharacter_IsFalse()
    {
        var validator = default(WebSocketUtf8Validator);
        validator.IsComplete.Should().BeTrue();
        foreach (var (b, expected) in new[] { (0xF0, false), (0x9F, false), (0x98, false), (0x80, true), (0xC3, false), (0xA9, true), (0x41, true) })
        {
            validator.Append([(byte)b]).Should().BeTrue();
            validator.Append([]).Should().BeTrue();
            validator.IsComplete.Should().Be(expected);
        }
    }

    [Fact]
    public void Append_AfterFailure_StaysFalseUntilReset()
    {
        var validator = default(WebSocketUtf8Validator);
        validator.Append([0xC0]).Should().BeFalse();
        validator.Append("fine"u8).Should().BeFalse();
        validator.Append([]).Should().BeFalse();
        validator.IsComplete.Should().BeFalse();
        validator.IsInvalid.Should().BeTrue();
        validator.Reset();
        validator.Append("fine"u8).Should().BeTrue();
        validator.IsComplete.Should().BeTrue();
    }

    [Fact]
    public void Append_Warm_AllocatesNothing()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("aé界😀", 100)));
        var validator = default(WebSocketUtf8Validator);
        validator.Append(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < text.Length; i++)
        {
            validator.Reset();
            validator.Append(text.AsSpan(0, i));
            validator.Append(text.AsSpan(i));
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    private static void AssertAgrees(byte[] text) => AssertIs(Utf8.IsValid(text), text);

    private static void AssertIs(bool expected, byte[] text)
    {
        if (WebSocketUtf8Validator.IsValid(text) != expected)
            Assert.Fail($"expected {expected}: {Convert.ToHexString(text)}");
    }

    // Runs of characters of each length, most texts with a few bytes changed, dropped or added.
    private static byte[] RandomText(Random random)
    {
        var text = new StringBuilder();
        var characters = random.Next(random.Next(4) == 0 ? 400 : 30);
        while (text.Length < characters)
        {
            var run = random.Next(1, random.Next(5) == 0 ? 150 : 8);
            var (low, high) = random.Next(4) switch { 0 => (0, 0x80), 1 => (0x80, 0x800), 2 => (0x800, 0xD800), _ => (0x10000, 0x110000) };
            for (var i = 0; i < run; i++)
                text.Append(char.ConvertFromUtf32(random.Next(low, high)));
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString()).ToList();
        for (var changes = random.Next(3); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(3))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveAt(at); break;
                default: bytes.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. bytes];
    }

    /// <summary>RFC 3629 §4, one byte after the other.</summary>
    private static class Reference
    {
        public static (int FirstWrong, bool IsComplete) Run(byte[] text)
        {
            var (missing, low, high) = (0, 0x80, 0xBF);
            for (var i = 0; i < text.Length; i++)
            {
                int b = text[i];
                if (missing > 0)
                {
                    if (b < low || b > high)
                        return (i, false);
                    (missing, low, high) = (missing - 1, 0x80, 0xBF);
                }
                else if (b >= 0x80)
                {
                    if (b is < 0xC2 or > 0xF4)
                        return (i, false);
                    missing = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
                    low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
                    high = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
                }
            }

            return (-1, missing == 0);
        }
    }
}
