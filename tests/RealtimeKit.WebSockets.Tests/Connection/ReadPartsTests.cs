using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// ReadAsync and AdvanceTo: a message of any size in bounded memory.
public class ReadPartsTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    public static TheoryData<Wire> MemoryWires => Harness.MemoryWires;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task ReadAsync_FragmentedMessages_PartsJoinToTheMessages(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var first = Frames.Pattern(5000);
        var text = string.Concat(Enumerable.Repeat("aé€😀", 100));
        var send = harness.Peer.SendAsync(
            Frames.Fragmented(Frames.Binary, first, 999),
            Frames.Fragmented(Frames.Text, Encoding.UTF8.GetBytes(text), 7),
            Frames.BinaryFrame([]),
            Frames.CloseFrame(1000));

        (await ReadMessage(harness.Connection)).Bytes.Should().Equal(first);
        var (type, bytes) = await ReadMessage(harness.Connection);
        type.Should().Be(WebSocketMessageType.Text);
        Encoding.UTF8.GetString(bytes).Should().Be(text);
        (await ReadMessage(harness.Connection)).Bytes.Should().BeEmpty();
        var end = await harness.Connection.ReadAsync().Within();
        end.MessageType.Should().Be(WebSocketMessageType.Close);
        end.IsEndOfMessage.Should().BeTrue();
        end.Payload.IsEmpty.Should().BeTrue();
        harness.Connection.AdvanceTo(end.Payload.End);
        await send;
    }

#if !CHECKING_POOL
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    public async Task ReadAsync_64MiB_InBoundedMemory(Wire wire)
    {
        const int Size = 64 << 20;
        await using var harness = await Harness.CreateAsync(wire);
        var chunk = Frames.Pattern(64 * 1024);
        var send = Task.Run(async () =>
        {
            await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, [], declared: Size));
            // The peer's mask is undone by masking again: what arrives is the pattern.
            var masked = Frames.Frame(Frames.Binary, chunk)[^chunk.Length..];
            for (var sent = 0; sent < Size; sent += masked.Length)
                await harness.Peer.SendBytesAsync(masked);
        });

        long total = 0;
        var largest = 0L;
        var differs = 0;
        while (true)
        {
            var part = await harness.Connection.ReadAsync().Within();
            largest = Math.Max(largest, part.Payload.Length);
            foreach (var segment in part.Payload)
            {
                for (var span = segment.Span; !span.IsEmpty;)
                {
                    var at = (int)(total % chunk.Length);
                    var count = Math.Min(span.Length, chunk.Length - at);
                    differs += span[..count].SequenceEqual(chunk.AsSpan(at, count)) ? 0 : 1;
                    total += count;
                    span = span[count..];
                }
            }

            harness.Connection.AdvanceTo(part.Payload.End);
            if (part.IsEndOfMessage)
                break;
        }

        await send;
        total.Should().Be(Size);
        differs.Should().Be(0);
        largest.Should().BeLessThanOrEqualTo(128 * 1024);
    }
#endif

    // Every other part fills its buffer, so that what is read ahead behind it takes another: that is not to be filled as well, and so on.
    [Theory]
    [InlineData(16 << 20)]
    [InlineData(1 << 20)]
    public async Task ReadAsync_ReceiverIsSlowerThanThePeer_BufferDoesNotGrow(int size)
    {
        var clock = new FakeTimeProvider();
        var payload = Frames.Pattern(size);
        var stream = new ScriptedStream([.. Enumerable.Repeat(Frames.BinaryFrame(payload), (16 << 20) / size)]);
        await using var harness = Harness.Over(_ => stream, options => options.TimeProvider = clock);
        var connection = harness.Connection;
        var (parts, largest) = (0, 0L);
        for (var left = (16 << 20) / size; left > 0; left--)
        {
            var at = 0;
            for (var isEnd = false; !isEnd;)
            {
                var part = await connection.ReadAsync().Within();
                if (parts++ % 2 == 0)
                    clock.Advance(TimeSpan.FromSeconds(1));
                largest = Math.Max(largest, Math.Max(stream.LastRequest, part.Payload.Length));
                part.Payload.ToArray().AsSpan().SequenceEqual(payload.AsSpan(at, (int)part.Payload.Length)).Should().BeTrue();
                at += (int)part.Payload.Length;
                isEnd = part.IsEndOfMessage;
                connection.AdvanceTo(part.Payload.End);
            }

            at.Should().Be(size);
        }

        largest.Should().BeLessThanOrEqualTo(128 * 1024);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task AdvanceTo_PartialConsumption_TheRestComesAgain(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire);
        var lines = string.Concat(Enumerable.Range(0, 500).Select(i => $"line {i}\n"));
        var send = harness.Peer.SendAsync(Frames.Fragmented(Frames.Text, Encoding.UTF8.GetBytes(lines), 61), Frames.PingFrame("x"), Frames.TextFrame("next"));

        var read = new List<string>();
        while (true)
        {
            var part = await harness.Connection.ReadAsync().Within();
            var payload = part.Payload;
            while (payload.PositionOf((byte)'\n') is { } newline)
            {
                read.Add(Encoding.UTF8.GetString(payload.Slice(0, newline)));
                payload = payload.Slice(payload.GetPosition(1, newline));
            }

            harness.Connection.AdvanceTo(payload.Start);
            if (part.IsEndOfMessage)
                break;
        }

        read.Should().Equal(Enumerable.Range(0, 500).Select(i => $"line {i}"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("next");
        await send;
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task AdvanceTo_RandomConsumption_NothingLostNorDoubled(Wire wire)
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            await using var harness = await Harness.CreateAsync(wire, options => options.ReadAheadSize = 256);
            var messages = Enumerable.Range(0, 10).Select(i => Frames.Pattern(random.Next(1500), i)).ToArray();
            var send = Task.Run(async () =>
            {
                foreach (var message in messages)
                {
                    await harness.Peer.SendAsync(Frames.Fragmented(Frames.Binary, message, random.Next(1, 400)));
                    if (message.Length % 3 == 0)
                        await Task.Yield();
                }
            });

            var pace = new Random(~seed);
            foreach (var expected in messages)
            {
                var received = new List<byte>();
                while (true)
                {
                    var part = await harness.Connection.ReadAsync().Within();
                    if (pace.Next(3) == 0)
                        await Task.Yield();   // more arrives while the part is lent
                    var payload = part.Payload;
                    var take = part.IsEndOfMessage && pace.Next(2) == 0 ? payload.Length : pace.NextInt64(payload.Length + 1);
                    received.AddRange(payload.Slice(0, take).ToArray());
                    harness.Connection.AdvanceTo(payload.GetPosition(take));
                    if (part.IsEndOfMessage && take == payload.Length)
                        break;
                }

                received.Should().Equal(expected, "seed {0}", seed);
            }

            await send;
        }
    }

    [Fact]
    public async Task ReadAsync_TextSplitInsideACharacter_PartsJoin()
    {
        var text = Encoding.UTF8.GetBytes("€😀é");
        var bytes = Frames.Frame(Frames.Text, text);
        var stream = new ScriptedStream([.. bytes.Select(b => new[] { b })]);
        // Of the system's clock the wheel may read several ahead.
        await using var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { TimeProvider = new FakeTimeProvider() });

        var parts = new List<int>();
        var joined = new List<byte>();
        while (true)
        {
            var part = await connection.ReadAsync().Within();
            parts.Add((int)part.Payload.Length);
            joined.AddRange(part.Payload.ToArray());
            connection.AdvanceTo(part.Payload.End);
            if (part.IsEndOfMessage)
                break;
        }

        joined.Should().Equal(text);
        parts.Should().Equal(Enumerable.Repeat(1, text.Length), "each byte is handed out as it comes");
        connection.Abort();
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Rules_MisuseOfParts_Throws()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var nothing = () => harness.Connection.AdvanceTo(default);
        nothing.Should().Throw<InvalidOperationException>();

        var frame = Frames.BinaryFrame(Frames.Pattern(100));
        await harness.Peer.SendBytesAsync(frame.AsMemory(0, 60));
        var part = await harness.Connection.ReadAsync().Within();
        var again = () => harness.Connection.ReadAsync().AsTask();
        await again.Should().ThrowAsync<InvalidOperationException>("the part has not been given back");
        var whole = () => harness.Connection.ReceiveAsync().AsTask();
        await whole.Should().ThrowAsync<InvalidOperationException>("a message is being streamed");
        var foreign = () => harness.Connection.AdvanceTo(new ReadOnlySequence<byte>(new byte[10]).End);
        foreign.Should().Throw<InvalidOperationException>();
        var payload = part.Payload;
        harness.Connection.AdvanceTo(payload.End);
        var twice = () => harness.Connection.AdvanceTo(payload.End);
        twice.Should().Throw<InvalidOperationException>();
        var late = () => part.Payload;
        late.Should().Throw<InvalidOperationException>();
        await whole.Should().ThrowAsync<InvalidOperationException>("the message has not been read to its end");

        await harness.Peer.SendBytesAsync(frame.AsMemory(60));
        var (_, rest) = await ReadMessage(harness.Connection);
        rest.Length.Should().Be(100 - (int)payload.Length);
        await harness.Peer.SendAsync(Frames.TextFrame("whole again"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("whole again");
    }

    [Fact]
    public async Task ReceiveAsync_MessageUnderWayIsTooBigForIt_FailsWith1009()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.MaxMessageSize = 1000);
        await harness.Peer.SendBytesAsync(Frames.Frame(Frames.Binary, [], fin: false, declared: 5000));
        using (var cancel = new CancellationTokenSource())
        {
            // Streamed, the message would be welcome; its header is consumed, but nothing of it has been given out.
            var read = harness.Connection.ReadAsync(cancel.Token).AsTask();
            await Task.Delay(20);
            await cancel.CancelAsync();
            await ((Func<Task>)(() => read)).Should().ThrowAsync<OperationCanceledException>();
        }

        var whole = () => harness.Connection.ReceiveAsync().Within();
        (await whole.Should().ThrowAsync<WebSocketProtocolException>()).Which.Error.Should().Be(WebSocketProtocolError.MessageTooBig);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1009);
    }

    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task CloseAsync_InTheMiddleOfAStreamedMessageOverTheWholeMessageLimit_EndsCleanly(Wire wire)
    {
        await using var harness = await Harness.CreateAsync(wire, options => options.MaxMessageSize = 100);
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[500], fin: false));
        var part = await harness.Connection.ReadAsync().Within();
        harness.Connection.AdvanceTo(part.Payload.End);

        var close = harness.Connection.CloseAsync(WebSocketCloseStatus.NormalClosure).AsTask();
        await harness.Peer.ReadAsync(Frames.Close);
        await harness.Peer.SendAsync(Frames.ContinuationFrame(new byte[50], fin: true), Frames.CloseFrame(1000));
        (await close.Within()).IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task ReceiveAsync_AfterAnAbortInTheMiddleOfAStreamedMessage_SaysTheEnd()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.BinaryFrame(new byte[50], fin: false));
        var part = await harness.Connection.ReadAsync().Within();
        harness.Connection.AdvanceTo(part.Payload.End);
        harness.Connection.Abort();

        (await harness.Connection.ReadAsync().Within()).MessageType.Should().Be(WebSocketMessageType.Close);
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    // The reader keeps the end of a message for long, while a part of the next one and a Close lie behind it.
    [Theory]
    [MemberData(nameof(MemoryWires))]
    public async Task ReadAsync_RestKeptBeyondAClose_IsTheRestOfItsMessage(Wire wire)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(wire, options => options.TimeProvider = clock);
        await harness.Peer.SendAsync(Frames.BinaryFrame([1, 2, 3, 4]));
        var part = await harness.Connection.ReadAsync().Within();
        while (!part.IsEndOfMessage)
        {
            harness.Connection.AdvanceTo(part.Payload.Start);
            part = await harness.Connection.ReadAsync().Within();
        }

        harness.Connection.AdvanceTo(part.Payload.GetPosition(1));
        await harness.Peer.SendAsync(Frames.TextFrame("next", fin: false), Frames.PingFrame(), Frames.CloseFrame(1000));
        var close = ReadCloseAsync();
        (await clock.PassUntil(close, TimeSpan.FromSeconds(4))).CloseCode.Should().Be(1000);
        part = await harness.Connection.ReadAsync().Within();
        part.Payload.ToArray().Should().Equal(2, 3, 4);
        part.IsEndOfMessage.Should().BeTrue();
        harness.Connection.AdvanceTo(part.Payload.End);
        (await harness.Connection.ReadAsync().Within()).MessageType.Should().Be(WebSocketMessageType.Close);

        async Task<WireFrame> ReadCloseAsync()
        {
            await harness.Peer.ReadAsync(Frames.Pong);
            return await harness.Peer.ReadAsync(Frames.Close);
        }
    }

    // The next one is of the other type, and never comes to its end: that is seen while the receiver still has the rest of the first.
    [Fact]
    public async Task ReadAsync_NextMessageHasBegunBehindTheRest_RestIsOfItsOwnType()
    {
        var clock = new FakeTimeProvider();
        var stream = new ScriptedStream(Frames.TextFrame("text"), Frames.BinaryFrame([], fin: false));
        stream.End();
        await using var harness = Harness.Over(_ => stream, options => options.TimeProvider = clock);
        var part = await harness.Connection.ReadAsync().Within();
        while (!part.IsEndOfMessage)
        {
            harness.Connection.AdvanceTo(part.Payload.Start);
            part = await harness.Connection.ReadAsync().Within();
        }

        part.MessageType.Should().Be(WebSocketMessageType.Text);
        harness.Connection.AdvanceTo(part.Payload.GetPosition(1));
        clock.Advance(TimeSpan.FromSeconds(1));
        part = await harness.Connection.ReadAsync().Within();
        Encoding.UTF8.GetString(part.Payload).Should().Be("ext");
        part.MessageType.Should().Be(WebSocketMessageType.Text);
        harness.Connection.AdvanceTo(part.Payload.End);
    }

    [Fact]
    public async Task AdvanceTo_AfterADisposalThatTookTheLastPart_TheEndFollows()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Peer.SendAsync(Frames.BinaryFrame([1]));
        var part = await harness.Connection.ReadAsync().Within();
        part.IsEndOfMessage.Should().BeTrue();
        var end = part.Payload.End;
        harness.Connection.Abort();
        await harness.Connection.DisposeAsync().Within();
        harness.Connection.AdvanceTo(end);
        (await harness.Connection.ReceiveAsync().Within()).Type.Should().Be(WebSocketMessageType.Close);
    }

    private static async Task<(WebSocketMessageType Type, byte[] Bytes)> ReadMessage(WebSocketConnection connection)
    {
        var bytes = new List<byte>();
        while (true)
        {
            var part = await connection.ReadAsync().Within();
            bytes.AddRange(part.Payload.ToArray());
            var isEnd = part.IsEndOfMessage;
            connection.AdvanceTo(part.Payload.End);
            if (isEnd)
                return (part.MessageType, [.. bytes]);
        }
    }
}
