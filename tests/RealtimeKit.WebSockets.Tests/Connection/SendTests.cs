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
        await connection.DisposeAsync();
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

    // It is copied on the transport's callback, which has nobody to tell but the one who waits.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendAsync_PayloadIsGoneWhenThereIsRoom_FailsThatSendOnly(bool inSegments)
    {
        var (harness, stream) = Stalled(1024);
        await using var _ = harness;
        await harness.Connection.SendAsync(new byte[1000], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        var memory = new FailingMemory(Frames.Pattern(1000));
        var payload = inSegments ? Sequences.Join(Frames.Pattern(1000), memory.Memory) : new ReadOnlySequence<byte>(memory.Memory);
        var lost = harness.Connection.SendAsync(payload, WebSocketMessageType.Binary).AsTask();
        var next = harness.Connection.SendAsync("next").AsTask();
        lost.IsCompleted.Should().BeFalse("there is no room");
        ((IDisposable)memory).Dispose();
        stream.Release();
        await FluentActions.Awaiting(() => lost.Within()).Should().ThrowAsync<ObjectDisposedException>();
        await next.Within();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("next", "no part of the other was sent");
    }

    internal static (Harness Harness, StallingStream Stream) Stalled(int mark, Action<WebSocketConnectionOptions>? configure = null)
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
