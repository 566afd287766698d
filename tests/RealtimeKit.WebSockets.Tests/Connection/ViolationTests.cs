using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 6455 §5.2–5.5, §7.4, §8.1 at the level of a connection: what came before a violation is delivered and answered, the right
// Close goes out, nothing after it counts, and the peer gets a moment to read it.
public class ViolationTests
{
    public static TheoryData<Wire> MainWires => Harness.MainWires;

    // What a client must not send to a server.
    private static readonly Dictionary<string, (byte[] Bytes, WebSocketProtocolError Error)> Violations = new()
    {
        ["RSV1"] = (Frames.Frame(Frames.Text, "x"u8, rsv: 4), WebSocketProtocolError.ReservedBit),
        ["RSV2"] = (Frames.Frame(Frames.Binary, "x"u8, rsv: 2), WebSocketProtocolError.ReservedBit),
        ["RSV3 on a ping"] = (Frames.Frame(Frames.Ping, "x"u8, rsv: 1), WebSocketProtocolError.ReservedBit),
        ["all RSV on a close"] = (Frames.Frame(Frames.Close, [], rsv: 7), WebSocketProtocolError.ReservedBit),
        ["opcode 3"] = (Frames.Frame(0x3, "x"u8), WebSocketProtocolError.ReservedOpcode),
        ["opcode 7"] = (Frames.Frame(0x7, []), WebSocketProtocolError.ReservedOpcode),
        ["opcode B"] = (Frames.Frame(0xB, []), WebSocketProtocolError.ReservedOpcode),
        ["opcode F"] = (Frames.Frame(0xF, new byte[126]), WebSocketProtocolError.ReservedOpcode),
        ["unmasked text"] = (Frames.Frame(Frames.Text, "x"u8, masked: false), WebSocketProtocolError.MaskRequired),
        ["unmasked ping"] = (Frames.Frame(Frames.Ping, [], masked: false), WebSocketProtocolError.MaskRequired),
        ["unmasked close"] = (Frames.Frame(Frames.Close, [], masked: false), WebSocketProtocolError.MaskRequired),
        ["ping of 126 bytes"] = (Frames.Frame(Frames.Ping, new byte[126]), WebSocketProtocolError.ControlTooLong),
        ["close of 126 bytes"] = (Frames.Frame(Frames.Close, new byte[126]), WebSocketProtocolError.ControlTooLong),
        ["fragmented ping"] = (Frames.Frame(Frames.Ping, "x"u8, fin: false), WebSocketProtocolError.ControlFragmented),
        ["fragmented close"] = (Frames.Frame(Frames.Close, [], fin: false), WebSocketProtocolError.ControlFragmented),
        ["continuation of nothing"] = (Frames.ContinuationFrame("x"u8, fin: true), WebSocketProtocolError.UnexpectedContinuation),
        ["unfinished continuation of nothing"] = (Frames.ContinuationFrame("x"u8, fin: false), WebSocketProtocolError.UnexpectedContinuation),
        ["text inside a message"] = (Frames.Join(Frames.TextFrame("a", fin: false), Frames.TextFrame("b")), WebSocketProtocolError.ExpectedContinuation),
        ["binary inside a message"] = (Frames.Join(Frames.TextFrame("a", fin: false), Frames.PingFrame(), Frames.BinaryFrame([1])), WebSocketProtocolError.ExpectedContinuation),
        ["125 in 16 bits"] = (Frames.Frame(Frames.Binary, new byte[125], lengthBytes: 2), WebSocketProtocolError.NonMinimalLength),
        ["0 in 64 bits"] = (Frames.Frame(Frames.Binary, [], lengthBytes: 8), WebSocketProtocolError.NonMinimalLength),
        ["65535 in 64 bits"] = (Frames.Frame(Frames.Binary, [], lengthBytes: 8, declared: 65535), WebSocketProtocolError.NonMinimalLength),
        ["63-bit bit"] = (Frames.Frame(Frames.Binary, [], lengthBytes: 8, declared: 1UL << 63), WebSocketProtocolError.LengthOverflow),
        ["all length bits"] = (Frames.Frame(Frames.Binary, [], lengthBytes: 8, declared: ulong.MaxValue), WebSocketProtocolError.LengthOverflow),
        ["2^63-1 bytes"] = (Frames.Frame(Frames.Binary, [], lengthBytes: 8, declared: long.MaxValue), WebSocketProtocolError.MessageTooBig),
        ["reserved opcode with 2^63-1 bytes"] = (Frames.Frame(0x5, [], lengthBytes: 8, declared: long.MaxValue), WebSocketProtocolError.ReservedOpcode),
        ["close of one byte"] = (Frames.Frame(Frames.Close, [3]), WebSocketProtocolError.CloseLengthOne),
        ["close 0"] = (Frames.CloseFrame(0), WebSocketProtocolError.CloseCodeInvalid),
        ["close 999"] = (Frames.CloseFrame(999), WebSocketProtocolError.CloseCodeInvalid),
        ["close 1004"] = (Frames.CloseFrame(1004), WebSocketProtocolError.CloseCodeInvalid),
        ["close 1005"] = (Frames.CloseFrame(1005), WebSocketProtocolError.CloseCodeInvalid),
        ["close 1006"] = (Frames.CloseFrame(1006), WebSocketProtocolError.CloseCodeInvalid),
        ["close 1015"] = (Frames.CloseFrame(1015), WebSocketProtocolError.CloseCodeInvalid),
        ["close 1016"] = (Frames.CloseFrame(1016), WebSocketProtocolError.CloseCodeInvalid),
        ["close 2999"] = (Frames.CloseFrame(2999), WebSocketProtocolError.CloseCodeInvalid),
        ["close 5000"] = (Frames.CloseFrame(5000), WebSocketProtocolError.CloseCodeInvalid),
        ["close 65535"] = (Frames.CloseFrame(65535), WebSocketProtocolError.CloseCodeInvalid),
        ["close reason not UTF-8"] = (Frames.Frame(Frames.Close, [0x03, 0xE8, 0xC3, 0x28]), WebSocketProtocolError.CloseReasonInvalidUtf8),
        ["close reason cut"] = (Frames.Frame(Frames.Close, [0x03, 0xE8, 0xE2, 0x82]), WebSocketProtocolError.CloseReasonInvalidUtf8),
        ["text C0"] = (Frames.Frame(Frames.Text, [0x61, 0xC0, 0x80]), WebSocketProtocolError.InvalidUtf8),
        ["text surrogate"] = (Frames.Frame(Frames.Text, [0xED, 0xA0, 0x80]), WebSocketProtocolError.InvalidUtf8),
        ["text cut at the end of the message"] = (Frames.Join(Frames.Frame(Frames.Text, [0xE2], fin: false), Frames.ContinuationFrame([0x82], fin: true)), WebSocketProtocolError.InvalidUtf8),
        ["text wrong across fragments"] = (Frames.Join(Frames.Frame(Frames.Text, [0xF0, 0x9F], fin: false), Frames.PingFrame(), Frames.ContinuationFrame([0x28, 0x80], fin: true)), WebSocketProtocolError.InvalidUtf8),
    };

    public static TheoryData<string> Names => [.. Violations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Violation_AfterTwoMessages_TheyAreAnsweredFirstAndNothingAfter(string name)
    {
        foreach (var wire in new[] { Wire.Pipe, Wire.OneByteStream, Wire.Socket })
        {
            var (bytes, error) = Violations[name];
            await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = new FakeTimeProvider());
            await harness.Peer.SendAsync(Frames.TextFrame("1"), Frames.TextFrame("2"), bytes, Frames.PingFrame("never"), Frames.TextFrame("never"), Frames.CloseFrame(1000));

            var loop = () => EchoAsync(harness.Connection).Within();
            var thrown = (await loop.Should().ThrowAsync<WebSocketProtocolException>()).Which;
            thrown.Error.Should().Be(error);
            thrown.CloseStatus.Should().Be(error.GetCloseStatus());
            harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(error.GetCloseStatus(), error.GetDescription(), WebSocketCloseInitiator.Local, false));
            var again = () => harness.Connection.ReceiveAsync().AsTask();
            (await again.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);

            // Where the peer's Close can be told from the rest, it ends the wait; otherwise the end of the stream does.
            harness.Peer.Finish();
            await harness.Connection.DisposeAsync().Within();
            var frames = (await harness.Peer.ReadToEndAsync()).Where(frame => frame.Opcode != Frames.Pong || (frame.Text == "never" && !IsFoundByTheReceiver(error))).ToList();
            frames.Select(frame => frame.Opcode).Should().Equal(Frames.Text, Frames.Text, Frames.Close);
            frames[0].Text.Should().Be("1");
            frames[1].Text.Should().Be("2");
            frames[2].CloseCode.Should().Be((int)error.GetCloseStatus());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Violation_WhileNobodyReceives_IsAnsweredAtOnce(string name)
    {
        var (bytes, error) = Violations[name];
        if (IsFoundByTheReceiver(error))
            return;
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var started = harness.Connection.Closed.Register(() => { });
        _ = harness.Connection.PingAsync().AsTask().ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);   // begins to read
        await harness.Peer.SendAsync(bytes);
        await harness.Peer.ReadAsync(Frames.Ping);
        WireFrame frame;
        while ((frame = await harness.Peer.ReadAsync()).Opcode == Frames.Pong)
        {
        }

        frame.CloseCode.Should().Be((int)error.GetCloseStatus());
        var receive = () => harness.Connection.ReceiveAsync().AsTask();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(error);
    }

    [Fact]
    public async Task Violation_MaskedFrameToAClient_1002()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, options => options.Role = WebSocketRole.Client);
        await harness.Peer.SendAsync(Frames.TextFrame("x", masked: true));
        var receive = () => harness.Connection.ReceiveAsync().Within();
        (await receive.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MaskForbidden);
        (await harness.Peer.ReadAsync(Frames.Close)).Should().Match<WireFrame>(frame => frame.Masked && frame.CloseCode == 1002);
    }

    // F4 90 fails at the second byte, while the frame is still arriving.
    [Theory]
    [InlineData(new byte[] { 0xF4, 0x90 })]
    [InlineData(new byte[] { 0xC0 })]
    [InlineData(new byte[] { 0x61, 0xED, 0xA0 })]
    [InlineData(new byte[] { 0xE0, 0x9F })]
    [InlineData(new byte[] { 0xFF })]
    public async Task InvalidUtf8_InAnUnfinishedFrame_FailsAtItsFirstByte(byte[] begin)
    {
        foreach (var wire in new[] { Wire.Pipe, Wire.Stream, Wire.OneByteStream, Wire.Socket })
        {
            await using var harness = await Harness.CreateAsync(wire);
            var payload = new byte[1000];
            payload.AsSpan().Fill((byte)'a');
            begin.CopyTo(payload, 500);
            var frame = Frames.Frame(Frames.Text, payload, fin: false);
            var bad = frame.Length - 500 + begin.Length;
            var receive = harness.Connection.ReceiveAsync().AsTask();
            for (var at = 0; at < bad - 1; at += 100)
                await harness.Peer.SendBytesAsync(frame.AsMemory(at, Math.Min(100, bad - 1 - at)));
            await Task.Delay(2);
            receive.IsCompleted.Should().BeFalse("everything so far may still become valid");
            await harness.Peer.SendBytesAsync(frame.AsMemory(bad - 1, 1));
            var wait = () => receive.Within();
            (await wait.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
            (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1007);
        }
    }

    [Fact]
    public async Task InvalidUtf8_AtEveryPositionAndSplit_Fails()
    {
        for (var position = 0; position < 40; position++)
        {
            var payload = new byte[40];
            payload.AsSpan().Fill((byte)'a');
            payload[position] = 0x80;
            var bytes = Frames.Join(Frames.Frame(Frames.Text, payload.AsSpan(0, 20), fin: false), Frames.ContinuationFrame(payload.AsSpan(20), fin: true));
            foreach (var at in new[] { 1, 6 + position, 7 + position, 30 })
            {
                var stream = new ScriptedStream(bytes[..at], bytes[at..]);
                var connection = WebSocketConnection.Create(stream);
                var receive = () => connection.ReceiveAsync().Within();
                (await receive.Should().ThrowAsync<WebSocketProtocolException>("position {0}, split at {1}", position, at)).Which.Error.Should().Be(WebSocketProtocolError.InvalidUtf8);
                WireFrame.DecodeAll(stream.Written).Should().ContainSingle().Which.CloseCode.Should().Be(1007);
                connection.Abort();
                await connection.DisposeAsync();
            }
        }
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task Linger_PeerAnswersTheClose_EndsThen(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = new FakeTimeProvider());
        await harness.Peer.SendAsync(Frames.Frame(0x3, Frames.Pattern(300)));
        await ((Func<Task>)(() => harness.Connection.ReceiveAsync().Within())).Should().ThrowAsync<WebSocketProtocolException>();
        var dispose = harness.Connection.DisposeAsync().AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(100_000)), Frames.PingFrame(), Frames.CloseFrame(1002));
        await dispose.Within();
        (await harness.Peer.ReadToEndAsync()).Should().BeEmpty("nothing after a violation is answered");
    }

    [Fact]
    public async Task Linger_PeerStaysSilent_EndsWithinASecond()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = clock);
        await harness.Peer.SendAsync(Frames.Frame(0x3, []));
        await ((Func<Task>)(() => harness.Connection.ReceiveAsync().Within())).Should().ThrowAsync<WebSocketProtocolException>();
        var dispose = harness.Connection.DisposeAsync().AsTask();
        await Task.Delay(20);
        dispose.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        await dispose.Within();
    }

    // A peer that never stops sending must keep nobody: neither the receiver from its exception nor the end from coming.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Flood_AfterAViolationOrAClose_EndsAll(bool violation)
    {
        var flood = new FloodStream(violation ? Frames.Frame(0x3, []) : [], Frames.BinaryFrame(Frames.Pattern(100)));
        var connection = WebSocketConnection.Create(flood, new WebSocketConnectionOptions { CloseTimeout = TimeSpan.FromMilliseconds(300) });
        if (violation)
        {
            var receive = () => Task.Run(async () => await connection.ReceiveAsync()).Within();
            await receive.Should().ThrowAsync<WebSocketProtocolException>();
        }
        else
        {
            var close = await Task.Run(async () => await connection.CloseAsync(WebSocketCloseStatus.NormalClosure)).Within();
            close.IsClean.Should().BeFalse();
        }

        await Task.Run(async () => await connection.DisposeAsync()).Within();
        flood.IsDisposed.Should().BeTrue();
    }

    // A matter of the message, which is not looked at before somebody receives it: until then a ping behind it is answered. RFC 6455 §8.1
    // fails a connection for invalid UTF-8 once an endpoint finds it.
    private static bool IsFoundByTheReceiver(WebSocketProtocolError error) => error is WebSocketProtocolError.InvalidUtf8 or WebSocketProtocolError.MessageTooBig;

    private static async Task EchoAsync(WebSocketConnection connection)
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    }

    // Every read is answered at once, for ever.
    private sealed class FloodStream(byte[] first, byte[] rest) : WrappingStream(Null)
    {
        private long _at;

        public volatile bool IsDisposed;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (IsDisposed)
                return ValueTask.FromException<int>(new IOException());
            var count = Math.Min(buffer.Length, 1000);
            for (var i = 0; i < count; i++, _at++)
                buffer.Span[i] = _at < first.Length ? first[_at] : rest[(int)((_at - first.Length) % rest.Length)];
            return ValueTask.FromResult(count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
