using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RealtimeKit.WebSockets.Tests.Connection.Kit;
using RealtimeKit.WebSockets.Tests.Framing;

namespace RealtimeKit.WebSockets.Tests.Connection;

public class SendTests
{
    public static TheoryData<Wire> Wires => Harness.Wires;

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task SendAsync_SixteenThreads_OrderPerThreadWithoutLossOrInterleaving(Wire wire)
    {
        const int Threads = 16;
        var each = wire == Wire.OneByteStream ? 50 : 300;
        await using var harness = await Harness.CreateAsync(wire, options => options.SendBufferSize = 4096);
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            for (var i = 0; i < each; i++)
                await harness.Connection.SendAsync(Numbered(thread, i, random.Next(8, 700)), WebSocketMessageType.Binary);
        })).ToArray();

        await CheckNumbered(harness.Peer, Threads, each);
        await Task.WhenAll(senders).Within();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_SixteenThreadsWhileTheWriterStalls_NothingLostOrReordered(bool tls)
    {
        const int Threads = 16;
        const int Each = 60;
        var (server, client, _, _) = await Harness.ConnectAsync(tls);
        var stalling = new StallingStream(server);
        await using var connection = WebSocketConnection.Create(stalling, new WebSocketConnectionOptions { SendBufferSize = 2048 });
        await using var peer = new Peer(client, () => { }, () => { });
        stalling.Stall();
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await connection.SendAsync(Numbered(thread, i, 100 + thread * 10), WebSocketMessageType.Binary);
        })).ToArray();

        var check = CheckNumbered(peer, Threads, Each);
        for (var i = 0; i < 40 && !check.IsCompleted; i++)
        {
            await Task.WhenAny(stalling.Stalled.Within(), check);
            stalling.Release();
            stalling.Stall();
        }

        stalling.Release();
        await Task.WhenAll(senders).Within();
        stalling.Release();
        await check;
        connection.Abort();
    }

    // The known trap: over TLS a reader that stalls, and bytes written while a flush is pending.
    [Theory]
    [InlineData(Wire.Pipe)]
    [InlineData(Wire.Socket)]
    [InlineData(Wire.Tls)]
    public async Task SendAsync_SixteenThreadsAgainstAReaderThatStalls_NothingLost(Wire wire)
    {
        const int Threads = 16;
        const int Each = 100;
        await using var harness = await Harness.CreateAsync(wire);
        var senders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await harness.Connection.SendAsync(Numbered(thread, i, 5000), WebSocketMessageType.Binary);
        })).ToArray();

        var all = Task.WhenAll(senders);
        await Task.WhenAny(all, Task.Delay(100));   // 8 MB do not fit anywhere: the senders wait
        await CheckNumbered(harness.Peer, Threads, Each);
        await all.Within();
    }

    [Fact]
    public async Task SendAsync_OverTheMark_WaitsInOrderUntilThereIsRoom()
    {
        var (harness, stream) = Stalled(1000);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[10], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        harness.Connection.SendAsync(Pattern(1), WebSocketMessageType.Binary).IsCompletedSuccessfully.Should().BeTrue();
        var second = harness.Connection.SendAsync(Pattern(2), WebSocketMessageType.Binary).AsTask();
        // A small one would fit, but nobody overtakes.
        var third = harness.Connection.SendAsync(new byte[] { 3 }, WebSocketMessageType.Binary).AsTask();
        second.IsCompleted.Should().BeFalse();
        third.IsCompleted.Should().BeFalse();

        stream.Release();
        await Task.WhenAll(second, third).Within();
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(10);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Pattern(1));
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Pattern(2));
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(3);

        static byte[] Pattern(int seed) => Frames.Pattern(600, seed);
    }

    [Fact]
    public async Task SendAsync_CancelledWhileItWaits_SendsNothingOfIt()
    {
        var (harness, stream) = Stalled(1000);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[900], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        using var cancel = new CancellationTokenSource();
        var cancelled = harness.Connection.SendAsync(Frames.Pattern(500), WebSocketMessageType.Binary, cancel.Token).AsTask();
        var waiting = harness.Connection.SendAsync(new byte[] { 1 }, WebSocketMessageType.Binary).AsTask();
        await cancel.CancelAsync();
        var wait = () => cancelled.Within();
        await wait.Should().ThrowAsync<OperationCanceledException>();
        // The one behind it fits now, without any write having ended.
        await waiting.Within();

        stream.Release();
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(900);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(1);
    }

    [Fact]
    public async Task SendAsync_MessageLargerThanTheMark_IsAdmittedWhenTheBufferIsEmpty()
    {
        var (harness, stream) = Stalled(1000);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[10], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        var large = harness.Connection.SendAsync(Frames.Pattern(50_000), WebSocketMessageType.Binary).AsTask();
        large.IsCompleted.Should().BeFalse();
        stream.Release();
        await large.Within();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Frames.Pattern(50_000));
    }

    [Fact]
    public async Task SendAsync_WaitersCancelledWhileTheConnectionCloses_EveryTaskEnds()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var (harness, stream) = Stalled(256);
            await using var owner = harness;
            await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
            await stream.Stalled.Within();
            using var cancel = new CancellationTokenSource();
            var sends = Enumerable.Range(0, 20).Select(_ => harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary, cancel.Token).AsTask()).ToArray();
            using var start = new Barrier(2);
            var cancelling = Task.Run(() =>
            {
                start.SignalAndWait();
                cancel.Cancel();
            });
            var aborting = Task.Run(() =>
            {
                start.SignalAndWait();
                harness.Connection.Abort();
            });

            await Task.WhenAll(cancelling, aborting).Within();
            foreach (var send in sends)
            {
                var wait = () => send.Within();
                (await wait.Should().ThrowAsync<Exception>()).Which.Should().Match(error => error is OperationCanceledException || error is WebSocketException);
            }
        }
    }

    [Fact]
    public async Task SendAsync_Callback_WritesThrowsAndSends()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        await harness.Connection.SendAsync(WebSocketMessageType.Binary, 1000, static (count, output) =>
        {
            for (var i = 0; i < count; i++)
            {
                output.GetSpan(1)[0] = (byte)i;
                output.Advance(1);
            }
        });
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Enumerable.Range(0, 1000).Select(i => (byte)i));

        var throwing = () => harness.Connection.SendAsync(WebSocketMessageType.Text, 0, static (_, output) =>
        {
            output.Write("lost"u8);
            throw new FormatException();
        }).AsTask();
        await throwing.Should().ThrowAsync<FormatException>();

        await harness.Connection.SendAsync(WebSocketMessageType.Text, harness.Connection, static (connection, output) =>
        {
            output.Write("outer "u8);
            connection.SendAsync("inner").AsTask().IsCompletedSuccessfully.Should().BeTrue();
            output.Write("message"u8);
        });
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("inner");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("outer message");

        var none = () => harness.Connection.SendAsync(WebSocketMessageType.Text, 0, null!).AsTask();
        await none.Should().ThrowAsync<ArgumentNullException>();
    }

    [Fact]
    public async Task SendAsync_Json_IsWrittenAsItsOptionsSay()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.Role = WebSocketRole.Client);
        var sample = new SendSample("\u4e16<", 7);
        var relaxed = new SendJson(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).SendSample;
        var indented = new SendJson(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1, NewLine = "\n" }).SendSample;
        for (var round = 0; round < 2; round++)
        {
            await harness.Connection.SendAsync(sample, relaxed);
            (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("{\"Name\":\"\u4e16<\",\"Number\":7}");
            await harness.Connection.SendAsync(sample, indented);
            (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("{\n \"Name\": \"\\u4E16\\u003C\",\n \"Number\": 7\n}");
        }
    }

    [Fact]
    public async Task SendAsync_EveryForm_ArrivesAsOneMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.Role = WebSocketRole.Client);
        var connection = harness.Connection;
        await connection.SendAsync("häßlich");
        await connection.SendAsync("chars".AsMemory());
        await connection.SendAsync("lone \uD800 surrogate");
        await connection.SendAsync(Sequences.Create([1, 2], [], [3]), WebSocketMessageType.Binary);
        await connection.SendAsync(new ReadOnlySequence<byte>([4, 5]), WebSocketMessageType.Binary);
        await connection.SendAsync(new SendSample("x", 7), SendJson.Default.SendSample);
        await connection.SendAsync(new PreparedWebSocketMessage("prepared"));
        await connection.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Text);

        string[] expected = ["häßlich", "chars", "lone \uFFFD surrogate", "\u0001\u0002\u0003", "\u0004\u0005", "{\"Name\":\"x\",\"Number\":7}", "prepared", ""];
        foreach (var text in expected)
        {
            var frame = await harness.Peer.ReadAsync();
            frame.Text.Should().Be(text);
            frame.Opcode.Should().Be(text.StartsWith('\u0001') || text.StartsWith('\u0004') ? Frames.Binary : Frames.Text);
            frame.Should().Match<WireFrame>(f => f.Fin && f.Masked && f.Rsv == 0);
        }

        var failing = () => connection.SendAsync(new SendFailure(), SendJson.Default.SendFailure).AsTask();
        await failing.Should().ThrowAsync<FormatException>();
        await connection.SendAsync(new SendSample("y", 8), SendJson.Default.SendSample);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("{\"Name\":\"y\",\"Number\":8}", "the failed one left nothing behind");

        var type = () => connection.SendAsync(new byte[1], WebSocketMessageType.Close).AsTask();
        await type.Should().ThrowAsync<ArgumentOutOfRangeException>();
        var cancelled = () => connection.SendAsync("no", new CancellationToken(canceled: true)).AsTask();
        await cancelled.Should().ThrowAsync<OperationCanceledException>();
    }

    [Theory]
    [InlineData(WebSocketRole.Server)]
    [InlineData(WebSocketRole.Client)]
    public async Task SendAsync_MaxFrameSize_SplitsIntoFragments(WebSocketRole role)
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options =>
        {
            options.MaxFrameSize = 125;
            options.Role = role;
        });
        foreach (var size in new[] { 0, 1, 125, 126, 250, 251, 1000 })
        {
            var payload = Frames.Pattern(size);
            await harness.Connection.SendAsync(payload, WebSocketMessageType.Binary);
            await harness.Connection.SendAsync(Sequences.Create(payload[..(size / 3)], payload[(size / 3)..]), WebSocketMessageType.Binary);
            await harness.Connection.SendAsync(new PreparedWebSocketMessage(payload, WebSocketMessageType.Binary));
            using var batch = harness.Connection.CreateBatch();
            batch.Add(payload, WebSocketMessageType.Binary);
            await batch.FlushAsync();
            for (var i = 0; i < 4; i++)
            {
                var joined = new List<byte>();
                WireFrame frame;
                do
                {
                    frame = await harness.Peer.ReadAsync(joined.Count == 0 ? Frames.Binary : Frames.Continuation);
                    frame.Payload.Length.Should().Be(Math.Min(125, size - joined.Count));
                    frame.Masked.Should().Be(role == WebSocketRole.Client);
                    joined.AddRange(frame.Payload);
                }
                while (!frame.Fin);
                joined.Should().Equal(payload);
            }
        }
    }

    // RFC 6455 §5.3: a fresh key for each frame.
    [Fact]
    public async Task SendAsync_AsClient_KeysDiffer()
    {
        var stream = new ScriptedStream();
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { Role = WebSocketRole.Client });
        for (var i = 0; i < 100; i++)
            await connection.SendAsync(new byte[] { 0, 0, 0, 0 }, WebSocketMessageType.Binary);
        var keys = stream.Written.Chunk(10).Select(frame => BitConverter.ToUInt32(frame, 2)).ToArray();
        keys.Distinct().Should().HaveCountGreaterThan(98);
        connection.Abort();
    }

    [Fact]
    public async Task Batch_OrderAndOneWrite()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var first = harness.Connection.CreateBatch();
        using var second = harness.Connection.CreateBatch();
        for (var i = 0; i < 50; i++)
        {
            first.Add(Encoding.UTF8.GetBytes("first " + i), WebSocketMessageType.Text);
            second.Add(new PreparedWebSocketMessage("second " + i));
        }

        first.Length.Should().BePositive();
        await second.FlushAsync();
        await first.FlushAsync();
        first.Length.Should().Be(0);
        first.Add([9], WebSocketMessageType.Binary);
        await first.FlushAsync();
        await first.FlushAsync();
        for (var i = 0; i < 100; i++)
            (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be(i < 50 ? $"second {i}" : $"first {i - 50}");
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(9);
    }

    [Fact]
    public async Task Batch_ForgottenOrDisposed_StallsNobodyAndSendsNothing()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        var forgotten = harness.Connection.CreateBatch();
        forgotten.Add([1], WebSocketMessageType.Binary);
        var disposed = harness.Connection.CreateBatch();
        disposed.Add([2], WebSocketMessageType.Binary);
        disposed.Dispose();
        await disposed.FlushAsync();
        await harness.Connection.SendAsync("only this");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("only this");
    }

    [Fact]
    public async Task Batch_FlushCancelled_KeepsItsMessages()
    {
        var (harness, stream) = Stalled(256);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        using var batch = harness.Connection.CreateBatch();
        batch.Add("a"u8, WebSocketMessageType.Text);
        using var cancel = new CancellationTokenSource();
        var flush = batch.FlushAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        var wait = () => flush.Within();
        await wait.Should().ThrowAsync<OperationCanceledException>();
        batch.Add("b"u8, WebSocketMessageType.Text);
        stream.Release();
        await batch.FlushAsync().Within();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("a");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("b");
    }

    // What a pending flush sends must neither change nor go back to the pool under it.
    [Fact]
    public async Task Batch_ChangedOrDisposedWhileItsFlushWaits_SendsWhatWasFlushed()
    {
        var (harness, stream) = Stalled(256);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        var batch = harness.Connection.CreateBatch();
        batch.Add(Frames.Pattern(50), WebSocketMessageType.Binary);
        var flush = batch.FlushAsync().AsTask();

        var add = () => batch.Add(Frames.Pattern(500), WebSocketMessageType.Binary);
        add.Should().Throw<InvalidOperationException>();
        var again = () => batch.FlushAsync().AsTask();
        await again.Should().ThrowAsync<InvalidOperationException>();
        batch.Dispose();
        var taken = Enumerable.Range(0, 50).Select(_ => ArrayPool<byte>.Shared.Rent(64)).ToList();
        taken.ForEach(array => array.AsSpan().Fill(0xEE));
        stream.Release();
        await flush.Within();
        taken.ForEach(array => ArrayPool<byte>.Shared.Return(array));
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Frames.Pattern(50));
    }

    [Fact]
    public async Task Prepared_SentToManyConnectionsAtOnce_ArrivesEverywhere()
    {
        var message = new PreparedWebSocketMessage(Frames.Pattern(300), WebSocketMessageType.Binary);
        var harnesses = new ConcurrentBag<Harness>();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            var harness = await Harness.CreateAsync(Wire.Pipe, options => options.Role = i % 2 == 0 ? WebSocketRole.Server : WebSocketRole.Client);
            harnesses.Add(harness);
            for (var n = 0; n < 20; n++)
                await harness.Connection.SendAsync(message);
        })).Within();

        foreach (var harness in harnesses)
        {
            for (var n = 0; n < 20; n++)
                (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Frames.Pattern(300));
            await harness.DisposeAsync();
        }
    }

    // RFC 6455 §5.5.3: once the buffer is full only the latest ping is answered.
    [Fact]
    public async Task Pongs_WhileTheBufferIsFull_OnlyTheLatest()
    {
        var (harness, stream) = Stalled(256, options => options.ControlFrameBurst = 100);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        for (var i = 0; i < 50; i++)
            await harness.Peer.SendAsync(Frames.PingFrame("ping " + i));
        await harness.Peer.SendAsync(Frames.TextFrame("all seen"));
        (await harness.Connection.ReceiveAsync().Within()).GetText().Should().Be("all seen");

        stream.Release();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Pong)).Text.Should().Be("ping 49");
        await harness.Connection.SendAsync("next");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("next");
    }

    private static (Harness Harness, StallingStream Stream) Stalled(int mark, Action<WebSocketConnectionOptions>? configure = null)
    {
        StallingStream? stalling = null;
        var harness = Harness.Over(inner => stalling = new StallingStream(inner), options =>
        {
            options.SendBufferSize = mark;
            configure?.Invoke(options);
        });
        stalling!.Stall();
        return (harness, stalling);
    }

    private static byte[] Numbered(int thread, int number, int size)
    {
        var payload = Frames.Pattern(size, thread + number);
        BinaryPrimitives.WriteInt32LittleEndian(payload, thread);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), number);
        return payload;
    }

    private static async Task CheckNumbered(Peer peer, int threads, int each)
    {
        var next = new int[threads];
        for (var i = 0; i < threads * each; i++)
        {
            var frame = await peer.ReadAsync(Frames.Binary);
            var thread = BinaryPrimitives.ReadInt32LittleEndian(frame.Payload);
            var number = BinaryPrimitives.ReadInt32LittleEndian(frame.Payload.AsSpan(4));
            number.Should().Be(next[thread]++, "thread {0} sends in order", thread);
            frame.Payload.AsSpan().SequenceEqual(Numbered(thread, number, frame.Payload.Length)).Should().BeTrue();
        }
    }
}

internal sealed record SendSample(string Name, int Number);

internal sealed class SendFailure
{
    public string Begun { get; } = "begun";

    public string Failed => Begun.Length > 0 ? throw new FormatException() : "";
}

[JsonSerializable(typeof(SendSample))]
[JsonSerializable(typeof(SendFailure))]
internal sealed partial class SendJson : JsonSerializerContext;
