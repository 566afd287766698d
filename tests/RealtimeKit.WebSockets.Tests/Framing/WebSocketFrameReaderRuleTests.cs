using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;

namespace RealtimeKit.WebSockets.Tests.Framing;

// What the reader refuses, and where.
public class WebSocketFrameReaderRuleTests
{
    private const uint Key = 0x3d21fa37;

    // RFC 6455 §5.2–5.5 as a stream shows them, whatever arrives together.
    [Theory]
    [InlineData("C1 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("A2 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("99 80 00000000", WebSocketProtocolError.ReservedBit)]
    [InlineData("83 80 00000000", WebSocketProtocolError.ReservedOpcode)]
    [InlineData("8B 80 00000000", WebSocketProtocolError.ReservedOpcode)]
    [InlineData("81 00", WebSocketProtocolError.MaskRequired)]
    [InlineData("89 FE 007E 00000000", WebSocketProtocolError.ControlTooLong)]
    [InlineData("08 80 00000000", WebSocketProtocolError.ControlFragmented)]
    [InlineData("09 80 00000000", WebSocketProtocolError.ControlFragmented)]
    [InlineData("80 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("00 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("81 80 00000000 80 80 00000000", WebSocketProtocolError.UnexpectedContinuation)]
    [InlineData("01 80 00000000 81 80 00000000", WebSocketProtocolError.ExpectedContinuation)]
    [InlineData("01 80 00000000 89 80 00000000 02 80 00000000", WebSocketProtocolError.ExpectedContinuation)]
    [InlineData("82 FE 007D 00000000", WebSocketProtocolError.NonMinimalLength)]
    [InlineData("82 FF 000000000000FFFF 00000000", WebSocketProtocolError.NonMinimalLength)]
    [InlineData("82 FF 8000000000000000 00000000", WebSocketProtocolError.LengthOverflow)]
    [InlineData("82 FF 7FFFFFFFFFFFFFFF 00000000", WebSocketProtocolError.MessageTooBig)]
    [InlineData("82 FF 0000000000100001 00000000", WebSocketProtocolError.MessageTooBig)]
    [InlineData("88 81 00000000 03", WebSocketProtocolError.CloseLengthOne)]
    [InlineData("88 82 00000000 03ED", WebSocketProtocolError.CloseCodeInvalid)]
    [InlineData("88 82 00000000 0000", WebSocketProtocolError.CloseCodeInvalid)]
    [InlineData("88 83 00000000 03E8 FF", WebSocketProtocolError.CloseReasonInvalidUtf8)]
    [InlineData("81 81 00000000 C0", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("81 84 00000000 F490", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("81 81 00000000 E7", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("01 81 00000000 E7 80 80 00000000", WebSocketProtocolError.InvalidUtf8)]
    [InlineData("01 81 00000000 E7 00 81 00000000 95 80 81 00000000 41", WebSocketProtocolError.InvalidUtf8)]
    public void Read_RuleBroken_NamesItWhateverTheSplit(string hex, WebSocketProtocolError expected)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", ""));
        foreach (var sequence in Sequences.EverySplit(bytes))
            WebSocketFrameReaderTests.Collect([sequence], default).Error.Should().Be(expected);
        for (var at = 0; at <= bytes.Length; at++)
            WebSocketFrameReaderTests.Collect(WebSocketFrameReaderTests.Arrivals(bytes, at), default).Error.Should().Be(expected);
        WebSocketFrameReaderTests.Collect(WebSocketFrameReaderTests.Arrivals(bytes, [.. Enumerable.Range(0, bytes.Length)]), default).Error.Should().Be(expected);
    }

    [Fact]
    public void Read_AfterAnError_StaysThere()
    {
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>([0x81, 0x00, 0x81, 0x80, 0, 0, 0, 0]), default);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Header.Opcode.Should().Be(WebSocketOpcode.Text);
        reader.Payload.IsEmpty.Should().BeTrue();
        reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, "x"u8)), reader.CurrentState);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Error.Should().Be(WebSocketProtocolError.MaskRequired);
    }

    // RFC 6455 §5.1
    [Fact]
    public void Read_ClientGetsMaskedFrame_IsMaskForbidden() =>
        WebSocketFrameReaderTests.Collect([new(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, "x"u8))], new() { Role = WebSocketRole.Client }).Error.Should().Be(WebSocketProtocolError.MaskForbidden);

    // RFC 6455 §8.1: the earliest byte, long before the frame or the message ends.
    [Fact]
    public void Read_TextInvalidEarlyInAHugeFrame_IsRefusedAtOnce()
    {
        byte[] start = [0x01, 0xFF, 0, 0, 0, 0, 0, 0x0F, 0xFF, 0xFF, 0, 0, 0, 0, .. "κόσμε"u8, 0xF4];
        var reader = new WebSocketFrameReader(new ReadOnlySequence<byte>(start), default);
        reader.Read().Should().Be(OperationStatus.Done);
        reader = new WebSocketFrameReader(new ReadOnlySequence<byte>([0x90]), reader.CurrentState);
        reader.Read().Should().Be(OperationStatus.InvalidData);
        reader.Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
    }

    // The bytes of one character in a frame each, a ping between them; pings need not be text.
    [Fact]
    public void Read_CharacterAcrossFragments_IsValid()
    {
        var character = "😀"u8.ToArray();
        byte[] bytes = [.. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, character.AsSpan(0, 1), isFinal: false)];
        for (var i = 1; i < 4; i++)
            bytes = [.. bytes, .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Ping, [0xFF, 0xC0]), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, character.AsSpan(i, 1), isFinal: i == 3)];
        foreach (var sequence in Sequences.EverySplit(bytes))
        {
            var (events, error) = WebSocketFrameReaderTests.Collect([sequence], default);
            error.Should().Be(WebSocketProtocolError.None);
            events.Where(e => !e.StartsWith("Ping", StringComparison.Ordinal)).Should().Equal("Text 😀");
        }
    }

    [Fact]
    public void Read_BinaryAndCompressedText_AreNotValidated()
    {
        WebSocketFrameReaderTests.Collect([new(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Binary, [0xFF]))], default).Error.Should().Be(WebSocketProtocolError.None);

        // RFC 7692 §6: RSV1 on the first frame stands for the whole message. The next message is text again.
        byte[] compressed =
        [
            .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, [0xFF], isFinal: false, rsv1: true), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, [0xFF]),
            .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, "text"u8),
        ];
        WebSocketFrameReaderTests.Collect([new(compressed)], new() { AllowsRsv1 = true }).Error.Should().Be(WebSocketProtocolError.None);
        byte[] after = [.. compressed, .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, [0xFF])];
        WebSocketFrameReaderTests.Collect([new(after)], new() { AllowsRsv1 = true }).Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
    }

    [Fact]
    public void Read_FragmentsTogetherOverTheLimit_AreMessageTooBigAtTheHeader()
    {
        var options = new WebSocketFrameReaderOptions { MaximumMessageLength = 10 };
        byte[] fits = [.. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Binary, new byte[6], isFinal: false), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, new byte[4])];
        WebSocketFrameReaderTests.Collect([new((byte[])[.. fits, .. fits])], options).Error.Should().Be(WebSocketProtocolError.None);

        byte[] over = [.. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Binary, new byte[6], isFinal: false), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, new byte[5])[..6]];
        WebSocketFrameReaderTests.Collect([new(over)], options).Error.Should().Be(WebSocketProtocolError.MessageTooBig);

        // A control frame in between is not part of the message.
        byte[] ping = [.. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Binary, new byte[10], isFinal: false), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Ping, new byte[100])];
        WebSocketFrameReaderTests.Collect([new(ping)], options).Error.Should().Be(WebSocketProtocolError.None);
    }

    // Empty fragments count: a flood of them ends at the limit, however they arrive.
    [Fact]
    public void Read_FloodOfEmptyFragments_IsTooManyFragments()
    {
        var bytes = new List<byte>(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Binary, [], isFinal: false));
        for (var i = 1; i < 1024; i++)
            bytes.AddRange(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, [], isFinal: false));
        WebSocketFrameReaderTests.Collect([new(bytes.ToArray())], default).Error.Should().Be(WebSocketProtocolError.None);
        bytes.AddRange(WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, []));
        WebSocketFrameReaderTests.Collect([new(bytes.ToArray())], default).Error.Should().Be(WebSocketProtocolError.TooManyFragments);

        byte[] two = [.. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Text, "a"u8, isFinal: false), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Ping, []), .. WebSocketFrameReaderTests.Frame(WebSocketOpcode.Continuation, "b"u8)];
        WebSocketFrameReaderTests.Collect([new((byte[])[.. two, .. two])], new() { MaximumFragments = 2 }).Events.Should().Equal("Ping ", "Text ab", "Ping ", "Text ab");
        WebSocketFrameReaderTests.Collect([new(two)], new() { MaximumFragments = 1 }).Error.Should().Be(WebSocketProtocolError.TooManyFragments);
    }

    // Wire data never throws, and every Read either ends or takes something: no endless loop on one frame.
    [Fact]
    public void Read_RandomBytes_NeverThrowsAndAlwaysEnds()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 1 && random.Next(4) != 0)
            {
                // Mostly a valid beginning, so that the noise reaches what comes after it.
                bytes[0] = (byte)(0x80 | random.Next(3) switch { 0 => 1, 1 => 2, _ => 8 + random.Next(3) });
                bytes[1] = (byte)(0x80 | random.Next(126));
            }

            var splits = Enumerable.Range(0, random.Next(10)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray();
            var options = new WebSocketFrameReaderOptions { Role = (WebSocketRole)random.Next(2), AllowsRsv1 = random.Next(2) == 0 };
            var whole = WebSocketFrameReaderTests.Collect([new(bytes)], options);
            var parts = WebSocketFrameReaderTests.Collect(WebSocketFrameReaderTests.Arrivals(bytes, splits), options, random);
            if (whole.Error != parts.Error || !whole.Events.SequenceEqual(parts.Events))
                Assert.Fail($"seed {seed}: {whole.Error} against {parts.Error}");
        }
    }
}
