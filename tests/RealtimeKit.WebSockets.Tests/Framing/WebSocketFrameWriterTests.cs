using System.Buffers;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets.Tests.Framing;

public class WebSocketFrameWriterTests
{
    private const uint Key = 0x3d21fa37;

    private static WebSocketFrameHeader Text => new() { IsFinal = true, Opcode = WebSocketOpcode.Text };

    // RFC 6455 §5.7, each example whole.
    [Fact]
    public void WriteFrame_ExamplesOfTheRfc_GiveItsBytes()
    {
        Write(Text, "Hello"u8).Should().Equal(0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f);
        Write(Text with { MaskingKey = Key }, "Hello"u8).Should().Equal(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58);
        Write(Text with { IsFinal = false }, "Hel"u8).Should().Equal(0x01, 0x03, 0x48, 0x65, 0x6c);
        Write(Text with { Opcode = WebSocketOpcode.Continuation }, "lo"u8).Should().Equal(0x80, 0x02, 0x6c, 0x6f);
        Write(Text with { Opcode = WebSocketOpcode.Ping }, "Hello"u8).Should().Equal(0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f);
        Write(Text with { Opcode = WebSocketOpcode.Pong, MaskingKey = Key }, "Hello"u8).Should().Equal(0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58);
        Write(Text with { Opcode = WebSocketOpcode.Binary }, new byte[256]).Should().Equal([0x82, 0x7E, 0x01, 0x00, .. new byte[256]]);
        Write(Text with { Opcode = WebSocketOpcode.Binary }, new byte[65536]).Should().Equal([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0, .. new byte[65536]]);
    }

    // Contiguous and piecewise, span and sequence, masked and not: the same bytes.
    [Fact]
    public void WriteFrame_EveryWay_GivesTheSameBytes()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var payload = new byte[random.Next(3) switch { 0 => random.Next(200), 1 => random.Next(2000, 2100), _ => random.Next(100_000) }];
            random.NextBytes(payload);
            var header = Text with { Opcode = WebSocketOpcode.Binary };
            if (random.Next(2) == 0)
                header = header with { MaskingKey = (uint)random.NextInt64(uint.MaxValue) };

            var expected = new byte[payload.Length + WebSocketFrameHeader.MaxLength];
            WebSocketFrameWriter.TryWriteFrame(expected, header, payload, out var written).Should().BeTrue();
            expected = expected[..written];

            Write(header, payload).AsSpan().SequenceEqual(expected).Should().BeTrue("seed {0}", seed);
            var output = new PiecewiseWriter(random);
            WebSocketFrameWriter.WriteFrame(output, header, payload);
            output.Written.AsSpan().SequenceEqual(expected).Should().BeTrue("seed {0}, pieces", seed);
            output = new PiecewiseWriter(random);
            WebSocketFrameWriter.WriteFrame(output, header, Sequences.Random(payload, random));
            output.Written.AsSpan().SequenceEqual(expected).Should().BeTrue("seed {0}, sequence", seed);
        }
    }

    [Fact]
    public void TryWriteFrame_TooShort_WritesNothing()
    {
        var payload = new byte[200];
        for (var length = 0; length < 200 + 8; length++)
        {
            var destination = new byte[length];
            WebSocketFrameWriter.TryWriteFrame(destination, Text with { MaskingKey = Key }, payload, out var written).Should().BeFalse();
            written.Should().Be(0);
            destination.Should().Equal(new byte[length]);
        }

        WebSocketFrameWriter.TryWriteFrame(new byte[208], Text with { MaskingKey = Key }, payload, out var all).Should().BeTrue();
        all.Should().Be(208);
    }

    // RFC 6455 §5.5.1
    [Fact]
    public void WriteClose_ServerAndClient_GiveTheFrame()
    {
        var server = new ArrayBufferWriter<byte>();
        WebSocketFrameWriter.WriteClose(server, WebSocketCloseStatus.EndpointUnavailable, "bye");
        server.WrittenSpan.ToArray().Should().Equal(0x88, 0x05, 0x03, 0xE9, (byte)'b', (byte)'y', (byte)'e');

        var client = new ArrayBufferWriter<byte>();
        WebSocketFrameWriter.WriteClose(client, WebSocketCloseStatus.NormalClosure, "", Key);
        client.WrittenSpan.ToArray().Should().Equal(0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x03 ^ 0x37, 0xE8 ^ 0xfa);
    }

    [Fact]
    public void WriteClose_ReasonTooLong_ThrowsAndWritesNothing()
    {
        var output = new ArrayBufferWriter<byte>();
        var write = () => WebSocketFrameWriter.WriteClose(output, WebSocketCloseStatus.NormalClosure, new string('x', 124));
        write.Should().Throw<ArgumentException>();
        output.WrittenCount.Should().Be(0);
    }

    [Fact]
    public void WriteFrame_Warm_AllocatesNothing()
    {
        var output = new ArrayBufferWriter<byte>(100_000);
        var payload = new byte[5000];
        var sequence = Sequences.Create(payload, payload);
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Run();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Run()
        {
            output.ResetWrittenCount();
            WebSocketFrameWriter.WriteFrame(output, Text with { MaskingKey = WebSocketMask.CreateKey() }, payload.AsSpan(0, 100));
            WebSocketFrameWriter.WriteFrame(output, Text with { MaskingKey = WebSocketMask.CreateKey() }, payload);
            WebSocketFrameWriter.WriteFrame(output, Text, sequence);
            WebSocketFrameWriter.WriteClose(output, WebSocketCloseStatus.NormalClosure, "bye");
        }
    }

    private static byte[] Write(WebSocketFrameHeader header, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>();
        WebSocketFrameWriter.WriteFrame(output, header, payload);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Gives no more room than it is asked for, and a random piece where it is not asked.</summary>
    private sealed class PiecewiseWriter(Random random) : IBufferWriter<byte>
    {
        private readonly List<byte> _written = [];
        private byte[] _piece = [];

        public byte[] Written => _written.ToArray();

        public void Advance(int count) => _written.AddRange(_piece.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _piece = new byte[sizeHint == 0 ? random.Next(1, 5000) : sizeHint];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
