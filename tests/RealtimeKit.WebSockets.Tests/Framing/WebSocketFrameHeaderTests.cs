using System.Buffers;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketFrameHeaderTests
{
    private static readonly (byte[] Bytes, WebSocketFrameHeader Header)[] Examples =
    [
        // RFC 6455 §5.7, in its order.
        ([0x81, 0x05], new() { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = 5 }),
        ([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], new() { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = 5, MaskingKey = 0x3d21fa37 }),
        ([0x01, 0x03], new() { Opcode = WebSocketOpcode.Text, PayloadLength = 3 }),
        ([0x80, 0x02], new() { IsFinal = true, Opcode = WebSocketOpcode.Continuation, PayloadLength = 2 }),
        ([0x89, 0x05], new() { IsFinal = true, Opcode = WebSocketOpcode.Ping, PayloadLength = 5 }),
        ([0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d], new() { IsFinal = true, Opcode = WebSocketOpcode.Pong, PayloadLength = 5, MaskingKey = 0x3d21fa37 }),
        ([0x82, 0x7e, 0x01, 0x00], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 256 }),
        ([0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 65536 }),

        // RFC 6455 §5.2: the edges of each length form, the reserved bits, a reserved opcode, a key of zeros.
        ([0x82, 0x00], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary }),
        ([0x82, 0x7d], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 125 }),
        ([0x82, 0x7e, 0x00, 0x7e], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 126 }),
        ([0x82, 0x7e, 0xff, 0xff], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 65535 }),
        ([0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = long.MaxValue }),
        ([0xc1, 0x00], new() { IsFinal = true, Rsv1 = true, Opcode = WebSocketOpcode.Text }),
        ([0xa1, 0x00], new() { IsFinal = true, Rsv2 = true, Opcode = WebSocketOpcode.Text }),
        ([0x91, 0x00], new() { IsFinal = true, Rsv3 = true, Opcode = WebSocketOpcode.Text }),
        ([0x0f, 0x00], new() { Opcode = (WebSocketOpcode)0xf }),
        ([0x82, 0x80, 0, 0, 0, 0], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, IsMasked = true }),
        ([0x82, 0xfe, 0x00, 0x7e, 1, 2, 3, 4], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 126, MaskingKey = 0x04030201 }),
        ([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4], new() { IsFinal = true, Opcode = WebSocketOpcode.Binary, PayloadLength = 65536, MaskingKey = 0x04030201 }),
    ];

    [Fact]
    public void TryRead_EveryFormAndLength_GivesFieldsOrAsksForMore()
    {
        foreach (var (bytes, expected) in Examples)
        {
            for (var length = 0; length < bytes.Length; length++)
            {
                WebSocketFrameHeader.TryRead(bytes.AsSpan(0, length), out var none, out var nothing).Should().Be(OperationStatus.NeedMoreData);
                none.Should().Be(default(WebSocketFrameHeader));
                nothing.Should().Be(0);
            }

            byte[] withPayload = [.. bytes, 0xAA];
            WebSocketFrameHeader.TryRead(withPayload, out var header, out var consumed).Should().Be(OperationStatus.Done);
            header.Should().Be(expected);
            consumed.Should().Be(bytes.Length);
            header.Length.Should().Be(bytes.Length);
        }
    }

    [Fact]
    public void TryRead_SequenceSplitAtEveryPlace_GivesTheSame()
    {
        foreach (var (bytes, expected) in Examples)
        {
            foreach (var sequence in Sequences.EverySplit([.. bytes, 1, 2, 3]))
            {
                WebSocketFrameHeader.TryRead(sequence, out var header, out var consumed).Should().Be(OperationStatus.Done);
                header.Should().Be(expected);
                consumed.Should().Be(bytes.Length);
            }

            foreach (var sequence in Sequences.EverySplit(bytes[..^1]))
                WebSocketFrameHeader.TryRead(sequence, out _, out _).Should().Be(OperationStatus.NeedMoreData);
        }
    }

    [Fact]
    public void TryWrite_EveryForm_GivesTheBytesOfTheRfc()
    {
        foreach (var (expected, header) in Examples)
        {
            var destination = new byte[WebSocketFrameHeader.MaxLength];
            header.TryWrite(destination, out var written).Should().BeTrue();
            destination[..written].Should().Equal(expected);
            destination[written..].Should().Equal(new byte[destination.Length - written]);
        }
    }

    [Fact]
    public void TryWrite_TooShort_WritesNothing()
    {
        foreach (var (bytes, header) in Examples)
        {
            for (var length = 0; length < bytes.Length; length++)
            {
                var destination = new byte[length];
                header.TryWrite(destination, out var written).Should().BeFalse();
                written.Should().Be(0);
                destination.Should().Equal(new byte[length]);
            }
        }
    }

    // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
    [Theory]
    [InlineData(new byte[] { 0x82, 0x7e, 0x00, 0x00 })]
    [InlineData(new byte[] { 0x82, 0x7e, 0x00, 0x7d })]
    [InlineData(new byte[] { 0x82, 0xfe, 0x00, 0x7d, 1, 2, 3, 4 })]
    [InlineData(new byte[] { 0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff })]
    public void TryRead_LengthNotMinimal_IsInvalid(byte[] bytes)
    {
        WebSocketFrameHeader.TryRead(bytes, out _, out var consumed, out var error).Should().Be(OperationStatus.InvalidData);
        error.Should().Be(WebSocketProtocolError.NonMinimalLength);
        consumed.Should().Be(0);
    }

    // RFC 6455 §5.2: "the most significant bit MUST be 0". The key need not have come.
    [Theory]
    [InlineData(new byte[] { 0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    public void TryRead_TopBitOfLength_IsInvalid(byte[] bytes)
    {
        foreach (var sequence in Sequences.EverySplit(bytes))
        {
            WebSocketFrameHeader.TryRead(sequence, out _, out var consumed, out var error).Should().Be(OperationStatus.InvalidData);
            error.Should().Be(WebSocketProtocolError.LengthOverflow);
            consumed.Should().Be(0);
        }
    }

    [Fact]
    public void Init_OutOfRange_Throws()
    {
        var negative = () => new WebSocketFrameHeader { PayloadLength = -1 };
        var wide = () => new WebSocketFrameHeader { Opcode = (WebSocketOpcode)0x10 };
        negative.Should().Throw<ArgumentOutOfRangeException>();
        wide.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void With_IsMaskedFalse_ForgetsTheKey()
    {
        var masked = new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = 7, MaskingKey = 5 };
        (masked with { IsMasked = false }).Should().Be(new WebSocketFrameHeader { IsFinal = true, Opcode = WebSocketOpcode.Text, PayloadLength = 7 });
        masked.IsMasked.Should().BeTrue();
    }

    [Fact]
    public void Size_IsSixteenBytes() => System.Runtime.CompilerServices.Unsafe.SizeOf<WebSocketFrameHeader>().Should().Be(16);
}
