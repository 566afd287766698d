using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 6455 §7: every way in which a connection ends, and what its result says.
public partial class CloseTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MainWires => Harness.MainWires;

    internal static readonly WebSocketCloseResult Lost = new(null, null, WebSocketCloseInitiator.Network, false);

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task CloseAsync_PeerAnswers_IsClean(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Connection.SendAsync("last words");
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "going away").AsTask();
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("last words");
        var frame = await harness.Peer.ReadAsync(Frames.Close);
        frame.CloseCode.Should().Be(1001);
        frame.CloseReason.Should().Be("going away");
        harness.Connection.State.Should().Be(WebSocketState.CloseSent);
        var send = () => harness.Connection.SendAsync("too late").AsTask();
        await send.Should().ThrowAsync<WebSocketException>();

        await harness.Peer.SendAsync(Frames.TextFrame("crossing"), Frames.CloseFrame(1001));
        var result = await close.Within();
        result.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.EndpointUnavailable, "going away", WebSocketCloseInitiator.Local, true));
        harness.Connection.CloseResult.Should().Be(result);
        harness.Connection.State.Should().Be(WebSocketState.Closed);
        harness.Connection.Closed.IsCancellationRequested.Should().BeTrue();
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).Should().Be(result, "the first ending counts");

        // The server closes TCP first (RFC 6455 §7.1.1).
        await harness.Connection.DisposeAsync().Within();
        (await harness.Peer.TryReadAsync()).Should().BeNull();
    }

    // RFC 6455 §7.4.2: 3000–3999 are libraries', 4000–4999 applications'.
    [Theory]
    [InlineData(1000)]
    [InlineData(3000)]
    [InlineData(4000)]
    [InlineData(4999)]
    public async Task CloseAsync_WithANumber_SendsIt(int code)
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var close = client.CloseAsync(code, "as agreed").AsTask();
        (await server.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await close.Within()).Code.Should().Be(code);
        server.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)code, "as agreed", WebSocketCloseInitiator.Remote, true));
        await server.DisposeAsync();
        await client.DisposeAsync();
    }

    // RFC 6455 §7.4.1 and §7.4.2: reserved, only ever reported, unassigned, or out of range.
    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(2999)]
    [InlineData(5000)]
    [InlineData(65_536 + 1000)]
    [InlineData(-4000)]
    public async Task CloseAsync_WithANumberThatMustNotBeSent_IsRefusedAndLeavesTheConnection(int code)
    {
        var (client, server) = WebSocketConnection.CreatePair();
        (await client.Invoking(async connection => await connection.CloseAsync(code)).Should().ThrowAsync<ArgumentOutOfRangeException>()).WithMessage("*§7.4*");
        await using var reconnecting = new ReconnectingWebSocket(new Uri("ws://127.0.0.1:1/"));
        await reconnecting.Invoking(socket => socket.CloseAsync(code)).Should().ThrowAsync<ArgumentOutOfRangeException>();
        client.State.Should().Be(WebSocketState.Open);
        client.Abort();
        (await server.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        server.CloseResult!.Value.Code.Should().BeNull();
        await server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task PeerCloses_AnsweredWithItsCode_ThenTheStreamEnds(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.TextFrame("a"), Frames.CloseFrame(3000, "ciao"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("a");
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult((WebSocketCloseStatus)3000, "ciao", WebSocketCloseInitiator.Remote, true));
        await harness.Connection.DisposeAsync().Within();
        var frames = await harness.Peer.ReadToEndAsync();
        frames.Should().ContainSingle().Which.CloseCode.Should().Be(3000);
    }

    [Fact]
    public async Task PeerClosesWithoutACode_AnsweredWithout_ResultIsEmpty()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.CloseFrame());
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        harness.Connection.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.Empty, null, WebSocketCloseInitiator.Remote, true));
        (await harness.Peer.ReadAsync(Frames.Close)).Payload.Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task BothCloseAtOnce_BothAreClean(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Frames.CloseFrame(4001, "theirs"));
        var result = await harness.Connection.CloseAsync((WebSocketCloseStatus)4002, "ours").Within();
        result.IsClean.Should().BeTrue();
        await harness.Connection.DisposeAsync().Within();
        // Whoever was seen first: one Close frame goes out, never two.
        var frame = (await harness.Peer.ReadToEndAsync()).Should().ContainSingle().Which;
        frame.CloseCode.Should().Be((int)result.Status!.Value);
    }

    [Fact]
    public async Task CloseAsync_OfAPairAtOnce_BothAreClean()
    {
        for (var i = 0; i < 200; i++)
        {
            var (client, server) = WebSocketConnection.CreatePair();
            var results = await Task.WhenAll(
                Task.Run(async () => await client.CloseAsync((WebSocketCloseStatus)4001)),
                Task.Run(async () => await server.CloseAsync((WebSocketCloseStatus)4002))).Within();
            results.Should().OnlyContain(result => result.IsClean);
            await Task.WhenAll(client.DisposeAsync().AsTask(), server.DisposeAsync().AsTask()).Within();
        }
    }

    [Fact]
    public async Task CloseAsync_PeerNeverAnswers_EndsUncleanAtTheDeadline()
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = clock);
        var receive = harness.Connection.ReceiveAsync().AsTask();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye").AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.PingFrame());   // alive, but it does not close
        clock.Advance(TimeSpan.FromSeconds(4.9));
        await Task.Delay(10);
        close.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.2));
        (await close.Within()).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, "bye", WebSocketCloseInitiator.Local, false));
        (await receive.Within()).Type.Should().Be(WebSocketMessageType.Close);
        await harness.Connection.DisposeAsync().Within();
    }

    [Fact]
    public async Task CloseAsync_Cancelled_EndsAtOnce()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var cancel = new CancellationTokenSource();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel.Token).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await cancel.CancelAsync();
        (await close.Within()).Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, null, WebSocketCloseInitiator.Local, false));
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_MessagesUnread_AreDiscardedUpToThePeersClose(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var send = Task.Run(async () =>
        {
            for (var i = 0; i < 30; i++)
                await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(3000)));
            await harness.Peer.ReadAsync(Frames.Close);
            await harness.Peer.SendAsync(Frames.PingFrame(), Frames.BinaryFrame([1]), Frames.CloseFrame(1000));
        });
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().HaveCount(3000);
        (await harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).Within()).IsClean.Should().BeTrue();
        await send.Within();
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    // What is discarded is missing: a message must not be delivered with a hole, nor one behind a missing one.
    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_AReceiveWasCancelledInAMessage_ItsEndIsNoMessage(Wire wire)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(wire, options => options.MeterFactory = meters);
        var frame = Frames.BinaryFrame(Frames.Pattern(200));
        await harness.Peer.SendBytesAsync(frame.AsMemory(0, 100));
        using (var cancel = new CancellationTokenSource())
        {
            var receive = harness.Connection.ReceiveAsync(cancel.Token).AsTask();
            await Bounds.Until(() => meters.Sum("io", "receive") == 100);
            await cancel.CancelAsync();
            await ((Func<Task>)(() => receive)).Should().ThrowAsync<OperationCanceledException>();
        }

        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendBytesAsync(frame.AsMemory(100, 50));
        await Bounds.Until(() => meters.Sum("io", "receive") == 150, "it is discarded, because nobody receives");
        var rest = harness.Connection.ReceiveAsync().AsTask();
        await harness.Peer.SendBytesAsync(frame.AsMemory(150));
        await harness.Peer.SendAsync(Frames.TextFrame("whole, but behind a hole"), Frames.CloseFrame(1000));
        (await rest.Within()).Type.Should().Be(WebSocketMessageType.Close);
        (await close.Within()).IsClean.Should().BeTrue();
    }

    // Its last part has been given to a receiver, who may still give some of it back: nothing of it is missing.
    [Theory]
    [InlineData(Wire.Pipe, false, false)]
    [InlineData(Wire.Pipe, true, false)]
    [InlineData(Wire.Socket, false, false)]
    [InlineData(Wire.Socket, true, false)]
    [InlineData(Wire.Socket, false, true)]
    [InlineData(Wire.Socket, true, true)]
    public async Task CloseAsync_TheLastPartIsHeld_ItsRestIsGivenAgain(Wire wire, bool isMoreDiscarded, bool isCompressed)
    {
        using var meters = new Meters();
        await using var harness = await Harness.CreateAsync(wire, options =>
        {
            options.MeterFactory = meters;
            options.CompressionParameters = isCompressed ? new PerMessageDeflateParameters() : null;
        });
        var text = "the last part"u8;
        await harness.Peer.SendAsync(isCompressed ? Frames.Frame(Frames.Text, Compression.Zlib.Compress(text.ToArray()), rsv: 4) : Frames.Frame(Frames.Text, text));
        var part = await harness.Connection.ReadAsync().Within();
        part.IsEndOfMessage.Should().BeTrue();
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        var received = meters.Sum("io", "receive");
        if (isMoreDiscarded)
            await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(30_000)));
        await harness.Peer.SendAsync(Frames.PingFrame());
        await Bounds.Until(() => meters.Sum("io", "receive") > received + (isMoreDiscarded ? 30_000 : 0), "it is read, and what is a message is discarded");
        Encoding.UTF8.GetString(part.Payload.ToArray()).Should().Be("the last part");
        harness.Connection.AdvanceTo(part.Payload.GetPosition(4));

        part = await harness.Connection.ReadAsync().Within();
        Encoding.UTF8.GetString(part.Payload.ToArray()).Should().Be("last part");
        part.IsEndOfMessage.Should().BeTrue();
        harness.Connection.AdvanceTo(part.Payload.End);
        var next = harness.Connection.ReadAsync();   // what comes while nobody reads is discarded
        await harness.Peer.SendAsync(Frames.TextFrame("late"), Frames.CloseFrame(1000));
        part = await next.Within();
        if (isMoreDiscarded)
            part.MessageType.Should().Be(WebSocketMessageType.Close, "nothing behind a missing message is given");
        else
            Encoding.UTF8.GetString(part.Payload.ToArray()).Should().Be("late", "nothing was discarded before it");
        (await close.Within()).IsClean.Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(MainWires))]
    public async Task CloseAsync_WhileALoopReceives_TheLoopSeesEverythingBeforeThePeersClose(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var received = new List<string>();
        var loop = Task.Run(async () =>
        {
            await foreach (var message in harness.Connection.ReadAllAsync())
                received.Add(message.GetText());
        });
        await harness.Peer.SendAsync(Frames.TextFrame("1"));
        await Bounds.Until(() => received.Count == 1);
        await Task.Delay(5);
        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.TextFrame("2"));
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        (await close.Within()).IsClean.Should().BeTrue();
        await loop.Within();
        received[0].Should().Be("1");
    }

    // RFC 6455 §5.5.1: the last frame is the Close, however many threads send while it is enqueued.
    [Fact]
    public async Task CloseAsync_RacingWithSenders_NothingFollowsTheCloseFrame()
    {
        for (var round = 0; round < 300; round++)
        {
            var stream = new ScriptedStream();
            var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { CloseTimeout = TimeSpan.FromSeconds(10) });
            using var start = new Barrier(4);
            var senders = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                start.SignalAndWait();
                try
                {
                    for (var i = 0; i < 10_000; i++)
                        await connection.SendAsync("x");
                }
                catch (WebSocketException)
                {
                }
            })).ToArray();
            start.SignalAndWait();
            Thread.SpinWait(round * 10);
            var close = connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
            await Task.WhenAll(senders).Within();
            stream.Put(Frames.CloseFrame(1000));
            await close.Within();
            await connection.DisposeAsync().Within();
            var frames = WireFrame.DecodeAll(stream.Written);
            frames.FindIndex(frame => frame.Opcode == Frames.Close).Should().Be(frames.Count - 1);
        }
    }

    [Theory]
    [InlineData(1004, null)]
    [InlineData(1006, null)]
    [InlineData(999, null)]
    [InlineData(5000, null)]
    [InlineData(1005, "a reason without a code")]
    public async Task CloseAsync_InvalidStatus_Throws(int status, string? reason)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var close = () => harness.Connection.CloseAsync((WebSocketCloseStatus)status, reason).AsTask();
        await close.Should().ThrowAsync<ArgumentException>();
        var tooLong = () => harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure, new string('é', 62)).AsTask();
        await tooLong.Should().ThrowAsync<ArgumentException>();
        harness.Connection.State.Should().Be(WebSocketState.Open);
    }
}
