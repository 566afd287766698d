using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Steady receives and sends allocate nothing. Everything runs on one thread, so that its own counter tells.
public class AllocationTests
{
    private const int Warm = 200;
    private const int Measured = 500;

    [Theory]
    [InlineData(WebSocketRole.Server, 16)]
    [InlineData(WebSocketRole.Server, 1000)]
    [InlineData(WebSocketRole.Server, 70_000)]
    [InlineData(WebSocketRole.Client, 16)]
    [InlineData(WebSocketRole.Client, 1000)]
    public void ReceiveAsync_Stream_AllocatesNothing(WebSocketRole role, int size)
    {
        var frame = Frames.TextFrame(Frames.TextPattern(size), masked: role == WebSocketRole.Server);
        var connection = WebSocketConnection.Create(new EndlessStream(frame), new WebSocketConnectionOptions { Role = role });
        Allocated(() =>
        {
            if (Received(connection) != size)
                throw new InvalidOperationException("A message has another length.");
        }).Should().Be(0);
        connection.Abort();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(70_000)]
    public void ReceiveAsync_WithEveryLimit_AllocatesNothing(int size)
    {
        var frame = Frames.BinaryFrame(Frames.Pattern(size));
        var limiter = new CountingLimiter();
        var connection = WebSocketConnection.Create(new EndlessStream(frame), new WebSocketConnectionOptions
        {
            MessagesPerSecond = int.MaxValue,
            BytesPerSecond = long.MaxValue / 2,
            RateLimiter = limiter,
            MemoryBudget = new RealtimeMemoryBudget(1 << 30),
            FirstMessageTimeout = TimeSpan.FromMinutes(1),
        });
        Allocated(() => Received(connection)).Should().Be(0);
        limiter.Counts[(int)WebSocketRateLimitKind.Messages].Should().BeGreaterThanOrEqualTo(Warm + Measured);
        limiter.Counts[(int)WebSocketRateLimitKind.Bytes].Should().BeGreaterThanOrEqualTo((Warm + Measured) * (long)frame.Length);
        connection.Abort();
    }

    private sealed class CountingLimiter : WebSocketRateLimiter
    {
        public long[] Counts { get; } = new long[3];

        public override bool TryAcquire(WebSocketRateLimitKind kind, int count, out TimeSpan retryAfter)
        {
            retryAfter = default;
            Counts[(int)kind] += count;
            return true;
        }
    }

    [Theory]
    [InlineData(WebSocketRole.Server, 16)]
    [InlineData(WebSocketRole.Server, 1000)]
    [InlineData(WebSocketRole.Server, 30_000)]
    [InlineData(WebSocketRole.Client, 1000)]
    public void ReceiveAsync_Pipe_AllocatesNothing(WebSocketRole role, int size)
    {
        var (own, peer) = InlinePipes();
        var frame = Frames.BinaryFrame(Frames.Pattern(size), masked: role == WebSocketRole.Server);
        // Of the system's clock the wheel may read what a receive shall find.
        var connection = WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = role, TimeProvider = new FakeTimeProvider() });
        Allocated(() =>
        {
            Completed(peer.Output.WriteAsync(frame));
            Received(connection);
        }).Should().Be(0);
        connection.Abort();
    }

    [Theory]
    [InlineData(WebSocketRole.Server)]
    [InlineData(WebSocketRole.Client)]
    public void ReadAsync_Stream_AllocatesNothing(WebSocketRole role)
    {
        var frame = Frames.BinaryFrame(Frames.Pattern(5000), masked: role == WebSocketRole.Server);
        var connection = WebSocketConnection.Create(new EndlessStream(frame), new WebSocketConnectionOptions { Role = role });
        Allocated(() =>
        {
            bool isEnd;
            do
            {
                var part = Completed(connection.ReadAsync());
                isEnd = part.IsEndOfMessage;
                connection.AdvanceTo(part.Payload.End);
            }
            while (!isEnd);
        }).Should().Be(0);
        connection.Abort();
    }

    [Theory]
    [InlineData(WebSocketRole.Server, 16)]
    [InlineData(WebSocketRole.Server, 1000)]
    [InlineData(WebSocketRole.Server, 70_000)]
    [InlineData(WebSocketRole.Client, 16)]
    [InlineData(WebSocketRole.Client, 1000)]
    [InlineData(WebSocketRole.Client, 70_000)]
    public void SendAsync_EveryForm_AllocatesNothing(WebSocketRole role, int size)
    {
        var payload = Frames.Pattern(size);
        var text = Frames.TextPattern(size);
        var prepared = new PreparedWebSocketMessage(payload, WebSocketMessageType.Binary);
        var sample = new SendSample("name", 7);
        var json = new SendJson(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true }).SendSample;
        var (own, peer) = InlinePipes(long.MaxValue);
        var connections = new List<WebSocketConnection> { WebSocketConnection.Create(new EndlessStream([]), new WebSocketConnectionOptions { Role = role }) };
        if (size < 16 * 1024)   // beyond, a pipe itself allocates for its segments
            connections.Add(WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = role }));
        foreach (var connection in connections)
        {
            Allocated(() =>
            {
                Completed(connection.SendAsync(payload, WebSocketMessageType.Binary));
                Completed(connection.SendAsync(text));
                Completed(connection.SendAsync(prepared));
                Completed(connection.SendAsync(sample, json));
                Completed(connection.SendAsync(WebSocketMessageType.Binary, payload, static (payload, output) => System.Buffers.BuffersExtensions.Write(output, payload)));
                while (peer.Input.TryRead(out var read))
                    peer.Input.AdvanceTo(read.Buffer.End);
            }).Should().Be(0);
            connection.Abort();
        }
    }

    [Fact]
    public void Batch_FilledAndFlushed_AllocatesNothing()
    {
        var connection = WebSocketConnection.Create(new EndlessStream([]));
        var batch = connection.CreateBatch();
        var payload = Frames.Pattern(50);
        Allocated(() =>
        {
            for (var i = 0; i < 10; i++)
                batch.Add(payload, WebSocketMessageType.Binary);
            Completed(batch.FlushAsync());
        }).Should().Be(0);
        connection.Abort();
    }

    // Receives that wait and loops that are resumed by the peer's write, all on one thread.
    [Theory]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(20_000)]
    public async Task Echo_OverAPair_AllocatesNothing(int size)
    {
        var (own, peer) = InlinePipes();
        var server = WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = WebSocketRole.Server });
        var client = WebSocketConnection.Create(peer, new WebSocketConnectionOptions { Role = WebSocketRole.Client });
        var echo = EchoAsync(server);
        var payload = Frames.Pattern(size);
        var received = 0;
        var count = CountAsync();
        var expected = 0;
        Allocated(() =>
        {
            Completed(client.SendAsync(payload, WebSocketMessageType.Binary));
            expected++;
            // The wheel may be at work on this connection at the moment: then the rest happens on its thread.
            if (Volatile.Read(ref received) != expected && !SpinWait.SpinUntil(() => Volatile.Read(ref received) == expected, Bounds.Generous))
                throw new InvalidOperationException("The echo is not there yet.");
        }).Should().Be(0);
        client.Abort();
        server.Abort();
        await echo.Within();
        await count.Within();

        async Task CountAsync()
        {
            await foreach (var message in client.ReadAllAsync().ConfigureAwait(false))
                received += message.Payload.Length == size ? 1 : 0;
        }

        static async Task EchoAsync(WebSocketConnection connection)
        {
            await foreach (var message in connection.ReadAllAsync().ConfigureAwait(false))
                await connection.SendAsync(message.Payload, message.Type).ConfigureAwait(false);
        }
    }

    // Both directions compressed, and broadcasts in their shared form.
    [Theory]
    [InlineData(1000, false)]
    [InlineData(1000, true)]
    [InlineData(30_000, false)]
    [InlineData(30_000, true)]
    public async Task Echo_Compressed_AllocatesNothing(int size, bool takeover)
    {
        var compression = new PerMessageDeflateOptions { ServerContextTakeover = takeover, ClientContextTakeover = takeover };
        var agreed = PerMessageDeflateParameters.From(compression);
        // A clock that stands: the wheel takes over what a loop has not come to, on a thread of its own, and then the echo is not there at once.
        var clock = new FakeTimeProvider();
        var (own, peer) = InlinePipes();
        var server = WebSocketConnection.Create(own, new WebSocketConnectionOptions { Role = WebSocketRole.Server, Compression = compression, CompressionParameters = agreed, TimeProvider = clock });
        var client = WebSocketConnection.Create(peer, new WebSocketConnectionOptions { Role = WebSocketRole.Client, Compression = compression, CompressionParameters = agreed, TimeProvider = clock });
        var payload = Compression.Samples.Create("json", size);
        var prepared = new PreparedWebSocketMessage(payload, WebSocketMessageType.Text);
        var echo = EchoAsync();
        var received = 0;
        var count = CountAsync();
        var expected = 0;
        Allocated(() =>
        {
            Completed(client.SendAsync(payload, WebSocketMessageType.Text));
            expected += 2;
            if (received != expected)
                throw new InvalidOperationException("The echo is not there yet.");
        }).Should().Be(0);
        client.Abort();
        server.Abort();
        await echo.Within();
        await count.Within();

        async Task CountAsync()
        {
            await foreach (var message in client.ReadAllAsync().ConfigureAwait(false))
                received += message.Payload.Length == size ? 1 : 0;
        }

        async Task EchoAsync()
        {
            await foreach (var message in server.ReadAllAsync().ConfigureAwait(false))
            {
                await server.SendAsync(message.Payload, message.Type).ConfigureAwait(false);
                await server.SendAsync(prepared).ConfigureAwait(false);
            }
        }
    }

    // Memory per idle connection: the read that waits holds no buffer.
    [Theory]
    [InlineData(WebSocketRole.Server, 1)]
    [InlineData(WebSocketRole.Server, 5)]
    [InlineData(WebSocketRole.Server, 100_000)]
    [InlineData(WebSocketRole.Client, 5)]
    [InlineData(WebSocketRole.Client, 100_000)]
    public void IdleConnection_WaitsWithAnEmptyBuffer(WebSocketRole role, int size)
    {
        var stream = new ScriptedStream();
        // Of the system's clock the wheel may be at work on it when something is put in: then the rest happens on its thread.
        var connection = WebSocketConnection.Create(stream, new WebSocketConnectionOptions { Role = role, TimeProvider = new FakeTimeProvider() });
        for (var i = 0; i < 5; i++)
        {
            var receive = connection.ReceiveAsync();
            receive.IsCompleted.Should().BeFalse();
            stream.LastRequest.Should().Be(0);
            stream.Put(Frames.BinaryFrame(Frames.Pattern(size), masked: role == WebSocketRole.Server));
            Completed(receive).Payload.Length.Should().Be(size);
        }

        connection.Abort();
    }

    private static long Allocated(Action action)
    {
        for (var i = 0; i < Warm; i++)
            action();
        // A collection in another test may empty the pools, and a pipe that is once held up keeps more segments from then on: the best
        // of some rounds is the steady state.
        var least = long.MaxValue;
        for (var round = 0; round < 16 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Measured; i++)
                action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Received(WebSocketConnection connection)
    {
        var message = Completed(connection.ReceiveAsync());
        return message.Payload.Length;
    }

    private static void Completed(ValueTask task)
    {
        if (!task.IsCompleted)
            throw new InvalidOperationException("It should have completed at once.");
        task.GetAwaiter().GetResult();
    }

    private static T Completed<T>(ValueTask<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("It should have completed at once.");

    private static (IDuplexPipe Own, IDuplexPipe Peer) InlinePipes(long pause = 1 << 20) => Pipes.CreatePair(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: pause == long.MaxValue ? 0 : pause, resumeWriterThreshold: pause == long.MaxValue ? 0 : pause / 2, useSynchronizationContext: false));

    // The same frame again and again, as much as is asked for; what is written is gone.
    private sealed class EndlessStream(byte[] frame) : WrappingStream(Null)
    {
        private int _at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (frame.Length == 0)
                return new ValueTask<int>(new TaskCompletionSource<int>().Task);
            var destination = buffer.Span;
            var read = 0;
            while (read < destination.Length)
            {
                var count = Math.Min(frame.Length - _at, destination.Length - read);
                frame.AsSpan(_at, count).CopyTo(destination[read..]);
                read += count;
                _at = (_at + count) % frame.Length;
            }

            return ValueTask.FromResult(read);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
