using System.Buffers;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketFrameHeaderCheckTests
{
    private static readonly byte[] Opcodes = [.. Enumerable.Range(0, 16).Select(n => (byte)n)];

    // RFC 6455 §5.1–5.5 restated row by row over every pair of first bytes, for each reader.
    [Fact]
    public void Check_EveryFirstTwoBytes_BreaksTheRulesOfTheRfc()
    {
        for (var first = 0; first < 256; first++)
        {
            for (var second = 0; second < 256; second++)
            {
                var header = Read((byte)first, (byte)second);
                foreach (var role in new[] { WebSocketRole.Server, WebSocketRole.Client })
                {
                    foreach (var (inMessage, deflate) in new[] { (false, false), (false, true), (true, false), (true, true) })
                    {
                        var broken = Broken(header, role, inMessage, deflate).ToArray();
                        var error = header.Check(new() { Role = role, IsMessageInProgress = inMessage, AllowsRsv1 = deflate });
                        if (broken.Length == 0 ? error != WebSocketProtocolError.None : !broken.Contains(error))
                            Assert.Fail($"{first:x2} {second:x2} {role} in message {inMessage} deflate {deflate}: {error}, expected {string.Join('|', broken)}");
                    }
                }
            }
        }
    }

    // RFC 6455 §5.2
    [Fact]
    public void Check_ReservedOpcode_IsReservedOpcode()
    {
        foreach (var opcode in Opcodes.Except<byte>([0, 1, 2, 8, 9, 10]))
            Check((byte)(0x80 | opcode), 0x80).Should().Be(WebSocketProtocolError.ReservedOpcode);
    }

    // RFC 6455 §5.2
    [Theory]
    [InlineData(0xC1)]
    [InlineData(0xA1)]
    [InlineData(0x91)]
    [InlineData(0xF2)]
    [InlineData(0xC9)]
    public void Check_ReservedBit_IsReservedBit(byte first) => Check(first, 0x80).Should().Be(WebSocketProtocolError.ReservedBit);

    // RFC 7692 §6: "Per-Message Compressed" is on the first fragment of a data message only.
    [Theory]
    [InlineData(0xC1, false, WebSocketProtocolError.None)]
    [InlineData(0x42, false, WebSocketProtocolError.None)]
    [InlineData(0xC0, true, WebSocketProtocolError.ReservedBit)]
    [InlineData(0xC9, false, WebSocketProtocolError.ReservedBit)]
    [InlineData(0xC8, true, WebSocketProtocolError.ReservedBit)]
    [InlineData(0xE1, false, WebSocketProtocolError.ReservedBit)]
    [InlineData(0xD1, false, WebSocketProtocolError.ReservedBit)]
    public void Check_Rsv1WithDeflate_IsAllowedOnFirstFrames(byte first, bool inMessage, WebSocketProtocolError expected) =>
        Read(first, 0x80).Check(new() { AllowsRsv1 = true, IsMessageInProgress = inMessage }).Should().Be(expected);

    // RFC 6455 §5.1
    [Fact]
    public void Check_Masking_FollowsTheRole()
    {
        Read(0x81, 0x00).Check(new() { Role = WebSocketRole.Server }).Should().Be(WebSocketProtocolError.MaskRequired);
        Read(0x81, 0x80).Check(new() { Role = WebSocketRole.Server }).Should().Be(WebSocketProtocolError.None);
        Read(0x81, 0x80).Check(new() { Role = WebSocketRole.Client }).Should().Be(WebSocketProtocolError.MaskForbidden);
        Read(0x81, 0x00).Check(new() { Role = WebSocketRole.Client }).Should().Be(WebSocketProtocolError.None);
    }

    // RFC 6455 §5.5
    [Theory]
    [InlineData(0x88)]
    [InlineData(0x89)]
    [InlineData(0x8A)]
    public void Check_ControlFrame_IsShortAndWhole(byte first)
    {
        Check(first, 0x80 | 125).Should().Be(WebSocketProtocolError.None);
        Check(first, 0x80 | 126).Should().Be(WebSocketProtocolError.ControlTooLong);
        Check(first, 0x80 | 127).Should().Be(WebSocketProtocolError.ControlTooLong);
        Check((byte)(first & 0x7F), 0x80).Should().Be(WebSocketProtocolError.ControlFragmented);

        // §5.4: control frames may be injected in the middle of a fragmented message; limits of messages are not theirs.
        Read(first, 0x80 | 125).Check(new() { IsMessageInProgress = true, MaximumPayloadLength = 0 }).Should().Be(WebSocketProtocolError.None);
    }

    // RFC 6455 §5.4
    [Fact]
    public void Check_FragmentOrder_IsKept()
    {
        Check(0x80, 0x80).Should().Be(WebSocketProtocolError.UnexpectedContinuation);
        Check(0x00, 0x80).Should().Be(WebSocketProtocolError.UnexpectedContinuation);
        foreach (byte first in new byte[] { 0x81, 0x01, 0x82, 0x02 })
            Read(first, 0x80).Check(new() { IsMessageInProgress = true }).Should().Be(WebSocketProtocolError.ExpectedContinuation);
        foreach (byte first in new byte[] { 0x80, 0x00 })
            Read(first, 0x80).Check(new() { IsMessageInProgress = true }).Should().Be(WebSocketProtocolError.None);
    }

    [Theory]
    [InlineData(0, 0, WebSocketProtocolError.None)]
    [InlineData(1, 0, WebSocketProtocolError.MessageTooBig)]
    [InlineData(1000, 1000, WebSocketProtocolError.None)]
    [InlineData(1001, 1000, WebSocketProtocolError.MessageTooBig)]
    [InlineData(long.MaxValue, long.MaxValue - 1, WebSocketProtocolError.MessageTooBig)]
    [InlineData(long.MaxValue, long.MaxValue, WebSocketProtocolError.None)]
    public void Check_PayloadOverLimit_IsMessageTooBig(long length, long maximum, WebSocketProtocolError expected)
    {
        var header = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Binary, MaskingKey = 1, PayloadLength = length };
        header.Check(new() { MaximumPayloadLength = maximum }).Should().Be(expected);
        (header with { Rsv1 = true }).Check(new() { AllowsRsv1 = true, MaximumPayloadLength = maximum }).Should().Be(expected);
    }

    [Fact]
    public void Rules_Default_IsServerWithoutLimit()
    {
        default(WebSocketFrameRules).MaximumPayloadLength.Should().Be(long.MaxValue);
        default(WebSocketFrameRules).Role.Should().Be(WebSocketRole.Server);
        new WebSocketFrameRules { MaximumPayloadLength = 7 }.MaximumPayloadLength.Should().Be(7);
        var negative = () => new WebSocketFrameRules { MaximumPayloadLength = -1 };
        negative.Should().Throw<ArgumentOutOfRangeException>();
    }

    private static WebSocketProtocolError Check(byte first, byte second) => Read(first, second).Check(default);

    private static WebSocketFrameHeader Read(byte first, byte second)
    {
        byte[] bytes = (second & 0x7F) switch
        {
            126 => [first, second, 1, 0, 1, 2, 3, 4],
            127 => [first, second, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4],
            _ => [first, second, 1, 2, 3, 4],
        };
        WebSocketFrameHeader.TryRead(bytes, out var header, out _).Should().Be(OperationStatus.Done);
        return header;
    }

    private static IEnumerable<WebSocketProtocolError> Broken(WebSocketFrameHeader header, WebSocketRole role, bool inMessage, bool deflate)
    {
        var isData = (int)header.Opcode is 0 or 1 or 2;
        var isControl = (int)header.Opcode >= 8;
        var isFirst = (int)header.Opcode is 1 or 2;
        if (header.Rsv2 || header.Rsv3 || (header.Rsv1 && !(deflate && isFirst)))
            yield return WebSocketProtocolError.ReservedBit;
        if (!isData && (int)header.Opcode is not (8 or 9 or 10))
            yield return WebSocketProtocolError.ReservedOpcode;
        if (role == WebSocketRole.Server && !header.IsMasked)
            yield return WebSocketProtocolError.MaskRequired;
        if (role == WebSocketRole.Client && header.IsMasked)
            yield return WebSocketProtocolError.MaskForbidden;
        if (isControl && header.PayloadLength > 125)
            yield return WebSocketProtocolError.ControlTooLong;
        if (isControl && !header.IsFinal)
            yield return WebSocketProtocolError.ControlFragmented;
        if (header.Opcode == 0 && !inMessage)
            yield return WebSocketProtocolError.UnexpectedContinuation;
        if (isFirst && inMessage)
            yield return WebSocketProtocolError.ExpectedContinuation;
    }
}
