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

    [Fact]
    public async Task ReceiveAsync_InflatedToExactlyTheLimit_IsAMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options);
            options.MaxMessageSize = 100_000;
        });
        var message = Samples.Create("json", 100_000);
        await harness.Peer.SendAsync(Compressed(Frames.Binary, message));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
    }

    [Theory]
    [InlineData(100_001)]
    [InlineData(10_000_000)]
    public async Task ReceiveAsync_InflatesBeyondTheLimit_Fails1009(int size)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            Compressing(options);
            options.Compression!.MaxInflateRatio = 0;
            options.MaxMessageSize = 100_000;
        });
        await harness.Peer.SendAsync(Compressed(Frames.Binary, new byte[size]));
        await ShouldFail(harness, WebSocketProtocolError.MessageTooBig, 1009);
    }

    [Theory]
    [InlineData(64 * 1024, true)]
    [InlineData(300_000, false)]
    public async Task ReceiveAsync_RatioBeyondTheLimit_Fails1009(int size, bool isHonest)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        await harness.Peer.SendAsync(Compressed(Frames.Binary, new byte[size]));
        if (isHonest)
            (await harness.Connection.ReceiveAsync().Within()).Payload.Length.Should().Be(size, "the first 64 KiB are free");
        else
            await ShouldFail(harness, WebSocketProtocolError.InflateRatioExceeded, 1009);
    }

    [Fact]
    public async Task ReceiveAsync_RatioWithinTheLimit_IsAMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        // 500 zeros cost a few bytes beside 20 that cannot be compressed: about 20 to 1.
        var message = Enumerable.Range(0, 1000).SelectMany(i => (byte[])[.. Samples.Create("random", 20, i), .. new byte[500]]).ToArray();
        await harness.Peer.SendAsync(Compressed(Frames.Binary, message));
        (await harness.Connection.ReceiveAsync().Within()).Payload.Length.Should().Be(message.Length);
    }

    // undici CVE-2026-1526 and its kin: a megabyte that inflates to a gigabyte.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bomb_OneGibibyte_StopsAtOnceAndKeepsLittle(bool streams)
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, Compressing);
        var mebibyte = (byte[])[.. Zlib.Compress(new byte[1 << 20]), 0, 0, 0xFF, 0xFF];
        var bomb = Enumerable.Repeat(mebibyte, 1024).SelectMany(bytes => bytes).ToArray();
        var send = Task.Run(async () =>
        {
            try
            {
                await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, bomb, rsv: Rsv1));
            }
            catch (IOException)
            {
                // The connection is closed long before all is sent.
            }
        });

        var before = GC.GetTotalAllocatedBytes();
        Func<Task> receive = async () =>
        {
            while (streams)
                harness.Connection.AdvanceTo((await harness.Connection.ReadAsync().Within()).Payload.End);
            await harness.Connection.ReceiveAsync().Within();
        };
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(64 << 20, "nothing near to a gibibyte was inflated");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1009);
        harness.Connection.Abort();
        await send.Within();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task ReadAsync_64MiBCompressed_InBoundedMemory(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            Compressing(options);
            options.Compression!.MaxInflateRatio = 0;
        });
        const int Size = 64 << 20;
        var message = new byte[Size];
        for (var i = 0; i < Size; i++)
            message[i] = (byte)(i >> 16);
        var send = harness.Peer.SendAsync(Compressed(Frames.Binary, message));

        var at = 0;
        var largest = 0L;
        var differs = 0;
        while (at < Size)
        {
            var part = await harness.Connection.ReadAsync().Within();
            part.IsEndOfMessage.Should().Be(at + part.Payload.Length == Size);
            largest = Math.Max(largest, part.Payload.Length);
            foreach (var segment in part.Payload)
            {
                differs += message.AsSpan(at, segment.Length).SequenceEqual(segment.Span) ? 0 : 1;
                at += segment.Length;
            }

            harness.Connection.AdvanceTo(part.Payload.End);
        }

        differs.Should().Be(0);
        largest.Should().BeLessThanOrEqualTo(64 * 1024);
        await send;
        await harness.Peer.SendAsync(Compressed(Frames.Text, "next"u8.ToArray()));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("next");
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReadAsync_UnconsumedRests_ComeAgain(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, Compressing);
        var message = Samples.Create("json", 30_000);
        var payload = Zlib.Compress(message);
        var send = harness.Peer.SendAsync(
            Frames.Frame(Frames.Binary, payload.AsSpan(0, 1000), fin: false, rsv: Rsv1), Frames.PingFrame(), Frames.ContinuationFrame(payload.AsSpan(1000), fin: true));
        var received = new List<byte>();
        var random = new Random(3);
        while (true)
        {
            var part = await harness.Connection.ReadAsync().Within();
            var take = Math.Min(part.Payload.Length, random.Next(0, 3000));
            foreach (var segment in part.Payload.Slice(0, take))
                received.AddRange(segment.ToArray());
            var isDone = part.IsEndOfMessage && take == part.Payload.Length;
            harness.Connection.AdvanceTo(part.Payload.GetPosition(take));
            if (isDone)
                break;
        }

        received.Should().Equal(message);
        await send;
    }

    [Fact]
    public async Task ReadAsync_TakesOneMessageAndReceiveAsyncTheNext_InflateBoth()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, options =>
        {
            Compressing(options);
            options.CompressionParameters = new PerMessageDeflateParameters { ClientContextTakeover = true };
        });
        using var zlib = new Zlib.Compressor();
        var messages = Enumerable.Range(0, 6).Select(i => Samples.Create("json", 2000, i)).ToList();
        await harness.Peer.SendBytesAsync(messages.SelectMany(message => Frames.Frame(Frames.Binary, zlib.Next(message), rsv: Rsv1)).ToArray());
        foreach (var (i, message) in messages.Index())
        {
            if (i % 2 == 0)
            {
                (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
                continue;
            }

            var received = new List<byte>();
            bool isEnd;
            do
            {
                var part = await harness.Connection.ReadAsync().Within();
                isEnd = part.IsEndOfMessage;
                foreach (var segment in part.Payload)
                    received.AddRange(segment.ToArray());
                harness.Connection.AdvanceTo(part.Payload.End);
            }
            while (!isEnd);
            received.Should().Equal(message);
        }
    }

    [Fact]
    public async Task ReceiveAsync_AfterCancelledRead_GoesOnWithTheSameMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, Compressing);
        var message = Samples.Create("random", 5000);
        var payload = Zlib.Compress(message);
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, payload.AsSpan(0, 2000), fin: false, rsv: Rsv1));
        using var cancel = new CancellationTokenSource();
        var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await ((Func<Task>)(() => receive)).Should().ThrowAsync<OperationCanceledException>();
        await harness.Peer.SendAsync(Frames.ContinuationFrame(payload.AsSpan(2000), fin: true));
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(message);
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
    public async Task CloseAsync_WhileABombArrives_DiscardsItUninflated()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, Compressing);
        var mebibyte = (byte[])[.. Zlib.Compress(new byte[1 << 20]), 0, 0, 0xFF, 0xFF];
        var bomb = Enumerable.Repeat(mebibyte, 100).SelectMany(bytes => bytes).ToArray();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        var before = GC.GetTotalAllocatedBytes();
        await harness.Peer.SendAsync(Frames.Frame(Frames.Binary, bomb, rsv: Rsv1), Compressed(Frames.Text, [0xFF]), Frames.CloseFrame(1000));
        var result = await close.Within();
        result.IsClean.Should().BeTrue();
        (GC.GetTotalAllocatedBytes() - before).Should().BeLessThan(32 << 20);
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

    private static void Compressing(WebSocketConnectionOptions options)
    {
        options.Compression = new PerMessageDeflateOptions { MinimumSize = 0 };
        options.CompressionParameters = default(PerMessageDeflateParameters);
        options.MaxFragmentsPerMessage = 100_000;
        options.ControlFrameBurst = 1000;
    }

    private static byte[] Compressed(int opcode, byte[] message) => Frames.Frame(opcode, Zlib.Compress(message), rsv: Rsv1);

    private static async Task ShouldFail(Harness harness, WebSocketProtocolError error, int code)
    {
        Func<Task> receive = async () => await harness.Connection.ReceiveAsync().Within();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);
        var close = await harness.Peer.ReadAsync(Frames.Close);
        close.CloseCode.Should().Be(code);
        close.CloseReason.Should().NotBeEmpty();
    }
}
