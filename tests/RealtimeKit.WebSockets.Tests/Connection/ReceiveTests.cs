using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// RFC 6455 §5.2, §5.4: frames to messages, however the bytes arrive.
public class ReceiveTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    // Every kind of frame, every form of length that fits in a test, control frames between fragments.
    private static readonly byte[] Conversation = Frames.Join(
        Frames.TextFrame(""),
        Frames.TextFrame("Hello"),
        Frames.PingFrame("are you there"),
        Frames.BinaryFrame(Frames.Pattern(130)),
        Frames.TextFrame("κό", fin: false),
        Frames.PongFrame([1, 2, 3]),
        Frames.ContinuationFrame([], fin: false),
        Frames.PingFrame(),
        Frames.ContinuationFrame(Encoding.UTF8.GetBytes("σμε"), fin: true),
        Frames.BinaryFrame([7], fin: false),
        Frames.ContinuationFrame([8], fin: true),
        Frames.CloseFrame(1000, "bye"));

    private static readonly string[] Expected =
    [
        "Text:", "Text:48656C6C6F", "Binary:" + Convert.ToHexString(Frames.Pattern(130)), "Text:" + Convert.ToHexString(Encoding.UTF8.GetBytes("κόσμε")), "Binary:0708",
    ];

    [Fact]
    public async Task ReceiveAsync_EverySplitOfAConversation_SameMessagesAndAnswers()
    {
        for (var at = 0; at <= Conversation.Length; at++)
            await ReceiveConversation([Conversation[..at], Conversation[at..]], $"split at {at}");
    }

    [Fact]
    public async Task ReceiveAsync_OneByteAtATime_SameMessagesAndAnswers() =>
        await ReceiveConversation([.. Conversation.Select(b => new[] { b })], "single bytes");

    [Fact]
    public async Task ReceiveAsync_RandomSplits_SameMessagesAndAnswers()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var chunks = new List<byte[]>();
            for (var at = 0; at < Conversation.Length;)
            {
                var count = Math.Min(random.Next(1, 40), Conversation.Length - at);
                chunks.Add(Conversation[at..(at + count)]);
                at += count;
            }

            await ReceiveConversation([.. chunks], $"seed {seed}");
        }
    }

    // The same bytes, but looked through first: nobody receives until all have arrived.
    [Fact]
    public async Task ReceiveAsync_EverySplitLookedThroughAhead_SameMessagesAndAnswers()
    {
        for (var at = 0; at <= Conversation.Length; at++)
        {
            var clock = new FakeTimeProvider();
            var stream = new ScriptedStream();
            var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { TimeProvider = clock });
            clock.Advance(TimeSpan.FromMilliseconds(250));   // the wheel begins to read
            stream.Put(Conversation[..at]);
            stream.Put(Conversation[at..]);
            clock.Advance(TimeSpan.FromMilliseconds(250));
            WireFrame.DecodeAll(stream.Written).Select(frame => frame.Opcode).Should().Equal(Frames.Pong, Frames.Pong);
            (await ReceiveAll(connection).Within()).Should().Equal(Expected, "split at {0}", at);
            await connection.DisposeAsync().Within();
            CheckAnswers(WireFrame.DecodeAll(stream.Written), $"split at {at}");
        }
    }

    // Between the chunks a receive waits, is cancelled, streams parts or is not there at all.
    [Fact]
    public async Task ReceiveAsync_RandomSplitsCancelsAndPauses_SameMessagesAndAnswers()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var clock = new FakeTimeProvider();
            var stream = new ScriptedStream();
            var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { TimeProvider = clock, ReadAheadSize = random.Next(256, 600), CloseTimeout = TimeSpan.FromHours(1) });
            var messages = new List<string>();
            var parts = new List<byte>();
            var at = 0;
            while (messages.Count == 0 || messages[^1] != "Close:")
            {
                if (at < Conversation.Length && random.Next(2) == 0)
                {
                    var count = Math.Min(random.Next(1, 60), Conversation.Length - at);
                    stream.Put(Conversation[at..(at + count)]);
                    at += count;
                }

                if (random.Next(3) == 0)
                    clock.Advance(TimeSpan.FromMilliseconds(250));
                if (random.Next(2) == 0)
                    continue;
                using var cancel = new CancellationTokenSource();
                var inParts = parts.Count > 0 || random.Next(3) == 0;
                var receive = inParts ? null : connection.ReceiveAsync(cancel.Token).AsTask();
                var read = inParts ? connection.ReadAsync(cancel.Token).AsTask() : null;
                var task = (Task?)receive ?? read!;
                if (!task.IsCompleted && at < Conversation.Length && random.Next(2) == 0)
                    stream.Put(Conversation[at..++at]);
                if (!task.IsCompleted)
                {
                    await cancel.CancelAsync();
                    await ((Func<Task>)(() => task.Within())).Should().ThrowAsync<OperationCanceledException>();
                }
                else if (receive is not null)
                {
                    var message = await receive;
                    messages.Add($"{message.Type}:{Convert.ToHexString(message.ToArray())}");
                }
                else
                {
                    var part = await read!;
                    var payload = part.Payload;
                    if (random.Next(2) == 0)
                        clock.Advance(TimeSpan.FromMilliseconds(250));
                    var take = random.NextInt64(payload.Length + 1);
                    parts.AddRange(payload.Slice(0, take).ToArray());
                    connection.AdvanceTo(payload.GetPosition(take));
                    if (part.IsEndOfMessage && take == payload.Length)
                    {
                        messages.Add($"{part.MessageType}:{Convert.ToHexString(parts.ToArray())}");
                        parts.Clear();
                    }
                    else if (parts.Count == 0)
                    {
                        parts.AddRange(await ReadRest(connection, stream, Conversation, at).Within());
                        at = Conversation.Length;
                        messages.Add($"{part.MessageType}:{Convert.ToHexString(parts.ToArray())}");
                        parts.Clear();
                    }
                }
            }

            messages.Should().Equal([.. Expected, "Close:"], "seed {0}", seed);
            await connection.DisposeAsync().Within();
            CheckAnswers(WireFrame.DecodeAll(stream.Written), $"seed {seed}");
        }

        static async Task<byte[]> ReadRest(WebSocketConnection connection, ScriptedStream stream, byte[] conversation, int at)
        {
            stream.Put(conversation[at..]);
            var rest = new List<byte>();
            while (true)
            {
                var part = await connection.ReadAsync();
                rest.AddRange(part.Payload.ToArray());
                connection.AdvanceTo(part.Payload.End);
                if (part.IsEndOfMessage)
                    return [.. rest];
            }
        }
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReceiveAsync_ConversationOverEveryWire_SameMessagesAndAnswers(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        await harness.Peer.SendAsync(Conversation);

        (await ReceiveAll(harness.Connection).Within()).Should().Equal(Expected);
        await harness.Connection.DisposeAsync().Within();
        CheckAnswers(await harness.Peer.ReadToEndAsync(), wire.ToString());
    }

    [Theory]
    [CombinatorialWires(0, 1, 125, 126, 127, 65535, 65536, 300_000)]
    public async Task ReceiveAsync_Sizes_ArriveUnchanged(Wire wire, int size)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var payload = Frames.Pattern(size);

        var send = harness.Peer.SendAsync(Frames.BinaryFrame(payload), Frames.Fragmented(Frames.Binary, payload, size / 7 + 1), Frames.TextFrame("end"));

        for (var i = 0; i < 2; i++)
        {
            var message = await harness.Connection.ReceiveAsync().Within();
            message.Type.Should().Be(WebSocketMessageType.Binary);
            message.ToArray().AsSpan().SequenceEqual(payload).Should().BeTrue();
        }

        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("end");
        await send;
    }

    [Fact]
    public async Task ReceiveAsync_AsClient_UnmaskedFrames()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream, options => options.Role = WebSocketRole.Client);
        await harness.Peer.SendAsync(Frames.TextFrame("a", masked: false), Frames.Fragmented(Frames.Binary, Frames.Pattern(500), 77, masked: false));

        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("a");
        (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(500));
    }

    [Fact]
    public async Task Payload_AfterTheNextReceiveHasBegun_Throws()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.TextFrame("one"), Frames.TextFrame("two"));

        var first = await harness.Connection.ReceiveAsync().Within();
        first.GetText().Should().Be("one");
        var second = await harness.Connection.ReceiveAsync().Within();
        var late = () => first.Payload;
        late.Should().Throw<InvalidOperationException>();
        var pending = harness.Connection.ReceiveAsync();
        pending.IsCompleted.Should().BeFalse();
        late = () => second.Payload;
        late.Should().Throw<InvalidOperationException>();

        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        var end = await pending.Within();
        end.Type.Should().Be(WebSocketMessageType.Close);
        end.Payload.IsEmpty.Should().BeTrue();
        late.Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public async Task Payload_WhileMoreArrives_IsNotMoved()
    {
        await using var harness = await Harness.CreateAsync(Wire.Stream);
        await harness.Peer.SendAsync(Frames.TextFrame("keep me"));
        var message = await harness.Connection.ReceiveAsync().Within();
        var payload = message.Payload;

        for (var i = 0; i < 40; i++)
            await harness.Peer.SendAsync(Frames.BinaryFrame(Frames.Pattern(200, i)));
        await harness.Peer.SendAsync(Frames.PingFrame("seen"));
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("seen");

        Encoding.UTF8.GetString(payload).Should().Be("keep me");
        message.GetText().Should().Be("keep me");
        for (var i = 0; i < 40; i++)
            (await harness.Connection.ReceiveAsync().Within()).ToArray().Should().Equal(Frames.Pattern(200, i));
    }

    [Fact]
    public async Task ReceiveAsync_WhileOneIsPending_Throws()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var pending = harness.Connection.ReceiveAsync();

        var second = () => harness.Connection.ReceiveAsync().AsTask();
        await second.Should().ThrowAsync<InvalidOperationException>();

        await harness.Peer.SendAsync(Frames.TextFrame("still there"));
        (await pending.Within()).GetText().Should().Be("still there");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReceiveAsync_BeforeTheLastOneWasAwaited_ThrowsAndTakesNothingFromIt(bool isPart)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var connection = harness.Connection;
        var first = connection.ReceiveAsync();
        await harness.Peer.SendAsync(Frames.TextFrame("first"), Frames.TextFrame("second"));
        await Bounds.Until(() => first.IsCompleted, "it has arrived");

        var next = () => isPart ? connection.ReadAsync().AsTask() : (Task)connection.ReceiveAsync().AsTask();
        await next.Should().ThrowAsync<InvalidOperationException>();

        (await first).GetText().Should().Be("first");
        (await connection.ReceiveAsync().Within()).GetText().Should().Be("second");
    }

    [Fact]
    public async Task ReceiveAsync_OutcomeAskedForWhilePending_ThrowsAndTheReceiveCanStillBeCancelled()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var cancel = new CancellationTokenSource();
        var pending = harness.Connection.ReceiveAsync(cancel.Token);

        var early = () => pending.GetAwaiter().GetResult();
        early.Should().Throw<InvalidOperationException>();
        var second = () => harness.Connection.ReceiveAsync().AsTask();
        await second.Should().ThrowAsync<InvalidOperationException>();

        await cancel.CancelAsync();
        var wait = () => pending.Within();
        await wait.Should().ThrowAsync<OperationCanceledException>();
        await harness.Peer.SendAsync(Frames.TextFrame("next"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("next");
    }

    [Theory]
    [InlineData("close")]
    [InlineData("eof")]
    [InlineData("eof in a frame")]
    [InlineData("abort")]
    public async Task ReadAllAsync_AnyEnd_Ends(string end)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.TextFrame("1"), Frames.TextFrame("2"));
        var received = new List<string>();
        await foreach (var message in harness.Connection.ReadAllAsync())
        {
            received.Add(message.GetText());
            if (received.Count < 2)
                continue;
            if (end == "close")
                await harness.Peer.SendAsync(Frames.CloseFrame(1001, "away"));
            else if (end == "abort")
                harness.Connection.Abort();
            else
            {
                await harness.Peer.SendAsync(end == "eof" ? [] : Frames.TextFrame("unfinished")[..9]);
                harness.Peer.Finish();
            }
        }

        received.Should().Equal("1", "2");
        harness.Connection.CloseResult.Should().Be(end switch
        {
            "close" => new WebSocketCloseResult(WebSocketCloseStatus.EndpointUnavailable, "away", WebSocketCloseInitiator.Remote, true),
            "abort" => new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Local, false),
            _ => new WebSocketCloseResult(null, null, WebSocketCloseInitiator.Network, false),
        });
    }

    [Fact]
    public async Task ReadAllAsync_Violation_ThrowsAfterTheMessagesBefore()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.TextFrame("1"), Frames.Frame(0x3, []));
        var received = new List<string>();
        var loop = async () =>
        {
            await foreach (var message in harness.Connection.ReadAllAsync())
                received.Add(message.GetText());
        };

        (await loop.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.ReservedOpcode);
        received.Should().Equal("1");
    }

    [Fact]
    public async Task ReceiveAsync_AfterTheEnd_SaysTheSameAgain()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));

        for (var i = 0; i < 3; i++)
            (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
        await harness.Connection.DisposeAsync().Within();
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    private static async Task ReceiveConversation(byte[][] chunks, string because)
    {
        var stream = new ScriptedStream(chunks);
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        (await ReceiveAll(connection).Within()).Should().Equal(Expected, because);
        await connection.DisposeAsync().Within();
        CheckAnswers(WireFrame.DecodeAll(stream.Written), because);
    }

    private static void CheckAnswers(List<WireFrame> answers, string because)
    {
        answers.Select(answer => answer.Opcode).Should().Equal([Frames.Pong, Frames.Pong, Frames.Close], because);
        answers[0].Text.Should().Be("are you there", because);
        answers[1].Text.Should().Be("", because);
        answers[2].CloseCode.Should().Be(1000, because);
        answers.Should().OnlyContain(answer => !answer.Masked && answer.Fin && answer.Rsv == 0, because);
    }

    private static async Task<List<string>> ReceiveAll(WebSocketConnection connection)
    {
        var messages = new List<string>();
        await foreach (var message in connection.ReadAllAsync())
            messages.Add($"{message.Type}:{Convert.ToHexString(message.ToArray())}");
        return messages;
    }
}
