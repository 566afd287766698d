using System.Net.WebSockets;
using System.Text;
using RealtimeKit.WebSockets.Tests.Compression;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 7692 §6 and §7.2.2 on a connection.
public class CompressionReceiveTests
{
    private const int Rsv1 = 4;

    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReceiveAsync_CompressedAndPlainMessages_AreWhatWasSent(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Compressing);
        var messages = Samples.Kinds.SelectMany(kind => ((int[])[0, 1, 100, 5000]).Select(size => Samples.Create(kind, size))).ToList();
        var send = Task.Run(async () =>
        {
            foreach (var message in messages)
            {
                await harness.Peer.SendAsync(Compressed(Frames.Binary, message));
                await harness.Peer.SendAsync(Frames.BinaryFrame(message));
            }
        });

        foreach (var message in messages)
        {
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
        }

        await send;
    }

    [Fact]
    public async Task ReceiveAsync_Client_InflatesUnmaskedMessages()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options);
            options.Role = WebSocketRole.Client;
        });
        var message = Samples.Create("json", 3000);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Text, Zlib.Compress(message), rsv: Rsv1, masked: false));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReceiveAsync_FragmentsWithControlFramesBetween_AreJoined(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Compressing);
        var message = Samples.Create("text", 4000);
        message = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(message).TrimEnd('\uFFFD'));
        var payload = Zlib.Compress(message);
        foreach (var size in (int[])[1, 7, 100, payload.Length])
        {
            var frames = new List<byte>();
            var pings = 0;
            for (var at = 0; at < payload.Length; at += size)
            {
                var piece = payload[at..Math.Min(at + size, payload.Length)];
                frames.AddRange(Frames.Frame(at == 0 ? Frames.Text : Frames.Continuation, piece, at + size >= payload.Length, at == 0 ? Rsv1 : 0));
                if (at / size % 97 == 0 && at + size < payload.Length)
                    frames.AddRange(Frames.PingFrame($"{pings++}"));
            }

            var send = harness.Peer.SendBytesAsync(frames.ToArray());
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
            for (var i = 0; i < pings; i++)
                (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be($"{i}");
            await send;
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(15)]
    public async Task ReceiveAsync_Takeover_GoesOnFromMessageToMessage(int bits)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options);
            options.CompressionParameters = new PerMessageDeflateParameters { ClientContextTakeover = true, ClientMaxWindowBits = bits };
        });
        var encoder = new DeflateEncoder(bits);
        for (var i = 0; i < 60; i++)
        {
            var message = Samples.Create(Samples.Kinds[i % 6], i * 173 % 5000, i % 5);
            var payload = new byte[DeflateEncoder.GetMaxCompressedLength(message.Length)];
            payload = payload[..encoder.CompressNext(message, payload)];
            await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, payload, rsv: Rsv1), Frames.BinaryFrame([1, 2, 3]));
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(1, 2, 3);
        }
    }

    [Fact]
    public async Task ReceiveAsync_NotNegotiated_Rsv1IsAViolation()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Compressed(Frames.Text, [1]));
        await ShouldFail(harness, WebSocketProtocolError.ReservedBit, 1002);
    }

    // RFC 7692 §6: RSV1 stands in the first frame of a message, not in others and not in control frames.
    [Theory]
    [InlineData(Frames.Continuation, Rsv1)]
    [InlineData(Frames.Ping, Rsv1)]
    [InlineData(Frames.Continuation, 2)]
    public async Task ReceiveAsync_ReservedBitElsewhere_IsAViolation(int opcode, int rsv)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        var payload = Zlib.Compress(Samples.Create("json", 100));
        await harness.Peer.SendAsync(Frames.Frame(Frames.Text, payload.AsSpan(0, 10), fin: false, rsv: Rsv1), Frames.Frame(opcode, [], rsv: rsv));
        await ShouldFail(harness, WebSocketProtocolError.ReservedBit, 1002);
    }

    [Theory]
    [InlineData("0700", "block type 3")]
    [InlineData("F248CDC9C9", "truncated")]
    [InlineData("F248CDC9C90700FFFFFFFF", "trailing octets")]
    [InlineData("F200110000", "a match before the begin")]
    public async Task ReceiveAsync_CorruptData_Fails1007(string hex, string because)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        await harness.Peer.SendAsync(Compressed(Frames.Text, "first"u8.ToArray()), Frames.Frame(Frames.Binary, Convert.FromHexString(hex), rsv: Rsv1));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("first", because);
        await ShouldFail(harness, WebSocketProtocolError.InvalidCompressedData, 1007);
    }

    [Fact]
    public async Task ReceiveAsync_InflatesToInvalidUtf8_FailsAtOnce()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        var payload = Zlib.Compress([.. Encoding.UTF8.GetBytes(new string('a', 100)), 0xF4, 0x90, .. Samples.Create("random", 1000)]);
        // The end of the message never comes.
        await harness.Peer.SendAsync(Frames.Frame(Frames.Text, payload.AsSpan(0, 600), fin: false, rsv: Rsv1));
        await ShouldFail(harness, WebSocketProtocolError.InvalidUtf8, 1007);
    }

    [Fact]
    public async Task ReceiveAsync_EndsInsideACharacter_Fails1007()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        await harness.Peer.SendAsync(Compressed(Frames.Text, "aé"u8[..2].ToArray()));
        await ShouldFail(harness, WebSocketProtocolError.InvalidUtf8, 1007);
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task NobodyReceives_PingsBetweenCompressedFragments_AreAnswered(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Compressing);
        await harness.Peer.SendAsync(Compressed(Frames.Text, "first"u8.ToArray()));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("first");
        var message = Samples.Create("json", 2000);
        var payload = Zlib.Compress(message);
        await harness.Peer.SendAsync(
            Frames.Frame(Frames.Binary, payload.AsSpan(0, 300), fin: false, rsv: Rsv1), Frames.PingFrame("a"),
            Frames.ContinuationFrame(payload.AsSpan(300), fin: true), Frames.PingFrame("b"));
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("a");
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("b");
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
    }

    [Fact]
    public async Task ReceiveAsync_EndOfStreamInsideACompressedMessage_Ends()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, Zlib.Compress(Samples.Create("json", 2000)).AsSpan(0, 200), fin: false, rsv: Rsv1));
        harness.Peer.Finish();
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult!.Value.IsClean.Should().BeFalse();
    }

    internal static void Compressing(WebSocketConnectionOptions options)
    {
        options.Compression = new PerMessageDeflateOptions { MinimumSize = 0 };
        options.CompressionParameters = default(PerMessageDeflateParameters);
        options.MaxFragmentsPerMessage = 100_000;
        options.ControlFrameBurst = 1000;
    }

    internal static byte[] Compressed(int opcode, byte[] message) => Frames.Frame(opcode, Zlib.Compress(message), rsv: Rsv1);

    internal static async Task ShouldFail(Harness harness, WebSocketProtocolError error, int code)
    {
        Func<Task> receive = async () => await harness.Connection.ReceiveAsync().Within();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);
        var close = await harness.Peer.ReadAsync(Frames.Close);
        close.CloseCode.Should().Be(code);
        close.CloseReason.Should().NotBeEmpty();
    }
}
