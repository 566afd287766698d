using System.IO.Pipelines;
using System.Net.WebSockets;

namespace RealtimeKit.WebSockets.Tests.Connection;

/// <summary>Sends that complete when their bytes are flushed: what subscriptions of topics wait for.</summary>
public class DeliverTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SendBatch_PeerReadsNothing_CompletesOnlyWhenItHasRead()
    {
        var (connection, reader) = Create();
        var waiter = new FlushWaiter();
        using var batch = connection.CreateBatch();
        batch.Add(new byte[2000], WebSocketMessageType.Binary);

        var send = connection.SendBatchAsync(batch, waiter).AsTask();
        send.IsCompleted.Should().BeFalse();
        batch.Length.Should().Be(0);
        var read = await reader.ReadAsync(Cancel);
        reader.AdvanceTo(read.Buffer.End);

        await send.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        read.Buffer.Length.Should().Be(2004);
        connection.WaitUntilFlushedAsync(waiter).AsTask().IsCompletedSuccessfully.Should().BeTrue();
    }

    [Fact]
    public async Task WaitUntilFlushed_BytesOfAnotherSender_AreWaitedForToo()
    {
        var (connection, reader) = Create();
        var waiter = new FlushWaiter();
        await connection.SendAsync(new byte[2000], WebSocketMessageType.Binary, Cancel);
        await connection.SendAsync(new byte[10], WebSocketMessageType.Binary, Cancel);

        var flushed = connection.WaitUntilFlushedAsync(waiter).AsTask();
        flushed.IsCompleted.Should().BeFalse();
        long read = 0;
        while (read < 2004 + 12)
        {
            var result = await reader.ReadAsync(Cancel);
            read += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
        }

        await flushed.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task SendBatch_AbortedWhilePending_Throws()
    {
        var (connection, _) = Create();
        var waiter = new FlushWaiter();
        using var batch = connection.CreateBatch();
        batch.Add(new byte[2000], WebSocketMessageType.Binary);
        var send = connection.SendBatchAsync(batch, waiter).AsTask();

        connection.Abort();

        await send.Awaiting(send => send.WaitAsync(TimeSpan.FromSeconds(30), Cancel)).Should().ThrowAsync<WebSocketException>();
        await connection.Awaiting(connection => connection.SendBatchAsync(batch, waiter).AsTask()).Should().ThrowAsync<WebSocketException>();
    }

    private static (CodecWebSocketConnection Connection, PipeReader Reader) Create()
    {
        var output = new Pipe(new PipeOptions(pauseWriterThreshold: 1000, resumeWriterThreshold: 500, useSynchronizationContext: false));
        var connection = WebSocketConnection.Create(new Ends(new Pipe().Reader, output.Writer), new WebSocketConnectionOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        return ((CodecWebSocketConnection)connection, output.Reader);
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
