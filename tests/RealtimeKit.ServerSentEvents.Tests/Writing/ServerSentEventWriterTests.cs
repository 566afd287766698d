using System.Buffers;
using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventWriterTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_EachKind_IsFlushedAsItIsWritten()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);

        await writer.WriteAsync("a", "t", "1", TimeSpan.FromSeconds(1), Cancel);
        (await ReadAsync(pipe)).Should().Be("event: t\nid: 1\nretry: 1000\ndata: a\n\n");
        await writer.WriteAsync("b"u8.ToArray(), cancellationToken: Cancel);
        (await ReadAsync(pipe)).Should().Be("data: b\n\n");
        await writer.WriteAsync(Sequences.Cut("cd"u8.ToArray(), 1), cancellationToken: Cancel);
        (await ReadAsync(pipe)).Should().Be("data: cd\n\n");
        await writer.WriteAsync(new Tick(1), TestJson.Default.Tick, cancellationToken: Cancel);
        (await ReadAsync(pipe)).Should().Be("data: {\"Price\":1}\n\n");
        await writer.WriteAsync(new SseItem<string>("e", "t") { EventId = "2" }, Cancel);
        (await ReadAsync(pipe)).Should().Be("event: t\nid: 2\ndata: e\n\n");
        await writer.WriteAsync(new SseItem<Tick>(new Tick(2)), TestJson.Default.Tick, Cancel);
        (await ReadAsync(pipe)).Should().Be("data: {\"Price\":2}\n\n");
        await writer.WriteAsync(PreparedServerSentEvent.Create("f"), "3", Cancel);
        (await ReadAsync(pipe)).Should().Be("id: 3\ndata: f\n\n");
        await writer.WriteCommentAsync("c", Cancel);
        (await ReadAsync(pipe)).Should().Be(": c\n\n");
        await writer.WriteRetryAsync(TimeSpan.FromSeconds(2), Cancel);
        (await ReadAsync(pipe)).Should().Be("retry: 2000\n\n");
        await writer.WriteIdAsync("9", Cancel);
        (await ReadAsync(pipe)).Should().Be("id: 9\n\n");
        writer.WriteCount.Should().Be(10);
    }

    [Fact]
    public async Task WriteAsync_WithoutAutoFlush_LeavesWithFlushAsync()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer, new() { AutoFlush = false });

        await writer.WriteAsync("a", cancellationToken: Cancel);
        await writer.WriteAsync("b", cancellationToken: Cancel);
        pipe.Reader.TryRead(out _).Should().BeFalse();
        await writer.FlushAsync(Cancel);

        (await ReadAsync(pipe)).Should().Be("data: a\n\ndata: b\n\n");
    }

    [Fact]
    public async Task WriteAsync_WithoutAutoFlush_FlushesAtTheBound()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer, new() { AutoFlush = false, MaxUnflushedBytes = 30 });

        await writer.WriteAsync("0123456789", cancellationToken: Cancel);
        pipe.Reader.TryRead(out _).Should().BeFalse();
        await writer.WriteAsync("0123456789", cancellationToken: Cancel);

        (await ReadAsync(pipe)).Length.Should().Be(36);
    }

    [Fact]
    public async Task WriteAsync_Refused_WritesNothingAndLeavesTheWriterUsable()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);

        await writer.Invoking(async w => await w.WriteAsync("x", id: "1\ndata: injected")).Should().ThrowAsync<ArgumentException>();
        await writer.Invoking(async w => await w.WriteAsync("x", "a\rb")).Should().ThrowAsync<ArgumentException>();
        await writer.WriteAsync("y", cancellationToken: Cancel);

        (await ReadAsync(pipe)).Should().Be("data: y\n\n");
    }

    [Fact]
    public async Task WriteAsync_FromManyThreads_KeepsEveryEventWhole()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 256, resumeWriterThreshold: 128));
        var writer = new ServerSentEventWriter(pipe.Writer);
        var expected = Enumerable.Range(0, 8).SelectMany(thread => Enumerable.Range(0, 200).Select(n => $"{thread}-{n}\nsecond line")).ToHashSet();
        var writers = Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var n = 0; n < 200; n++)
            {
                await writer.WriteAsync($"{thread}-{n}\nsecond line", cancellationToken: Cancel);
                writer.TryWriteHeartbeat();
            }
        }, Cancel)).ToArray();
        var finished = Task.WhenAll(writers).ContinueWith(_ => pipe.Writer.Complete(), TaskScheduler.Default);

        var received = new List<string>();
        await foreach (var item in ServerSentEventParser.ParseAsync(pipe.Reader, cancellationToken: Cancel))
            received.Add(item.Data);

        await finished;
        await Task.WhenAll(writers);
        received.Should().BeEquivalentTo(expected);
        for (var thread = 0; thread < 8; thread++)
            received.Where(data => data.StartsWith($"{thread}-", StringComparison.Ordinal)).Should().Equal(Enumerable.Range(0, 200).Select(n => $"{thread}-{n}\nsecond line"));
    }

    [Fact]
    public async Task TryWriteHeartbeat_Idle_WritesAComment()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);

        writer.TryWriteHeartbeat().Should().BeTrue();

        (await ReadAsync(pipe)).Should().Be(":\n\n");
    }

    [Fact]
    public async Task TryWriteHeartbeat_Named_WritesAnEventThatBrowserCodeSees()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer, new() { HeartbeatEventType = "ping" });

        writer.TryWriteHeartbeat().Should().BeTrue();

        (await ReadAsync(pipe)).Should().Be("event: ping\ndata: \n\n");
        FluentActions.Invoking(() => new ServerSentEventWriterOptions { HeartbeatEventType = "a\nb" }).Should().Throw<ArgumentException>();
    }

    [Fact]
    public async Task TryWriteHeartbeat_FlushPending_IsSkippedAndWritesWait()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5));
        var writer = new ServerSentEventWriter(pipe.Writer);
        var first = writer.WriteAsync("longer than the threshold", cancellationToken: Cancel).AsTask();
        var second = writer.WriteAsync("second", cancellationToken: Cancel).AsTask();

        writer.TryWriteHeartbeat().Should().BeFalse();
        first.IsCompleted.Should().BeFalse();

        (await ReadAsync(pipe)).Should().Be("data: longer than the threshold\n\n");
        await first.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        (await ReadAsync(pipe)).Should().Be("data: second\n\n");
        await second.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task TryWriteHeartbeat_OwnFlushPending_DoesNotWait()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2, resumeWriterThreshold: 1));
        var writer = new ServerSentEventWriter(pipe.Writer);

        writer.TryWriteHeartbeat().Should().BeTrue();
        writer.TryWriteHeartbeat().Should().BeFalse();

        (await ReadAsync(pipe)).Should().Be(":\n\n");
        await writer.CompleteAsync(cancellationToken: Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task WriteAsync_ReaderGone_ClosesAndThenThrows()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);
        var closed = new TaskCompletionSource();
        await using var registration = writer.Closed.Register(closed.SetResult);
        await pipe.Reader.CompleteAsync();

        await writer.WriteAsync("lost", cancellationToken: Cancel);

        await closed.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        writer.IsClosed.Should().BeTrue();
        (await writer.Invoking(async w => await w.WriteAsync("x")).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(writer.Closed);
        writer.TryWriteHeartbeat().Should().BeFalse();
    }

    [Fact]
    public async Task TryWriteHeartbeat_ReaderGone_Closes()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);
        await pipe.Reader.CompleteAsync();

        writer.TryWriteHeartbeat().Should().BeTrue();

        writer.Closed.IsCancellationRequested.Should().BeTrue();
    }

    [Fact]
    public async Task TryWriteHeartbeat_PipeCompleted_ClosesInsteadOfThrowing()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);
        await pipe.Writer.CompleteAsync();

        writer.TryWriteHeartbeat().Should().BeFalse();

        writer.IsClosed.Should().BeTrue();
    }

    [Fact]
    public async Task WriteAsync_CancelledWhileItWaits_LeavesTheStreamUsable()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2, resumeWriterThreshold: 1));
        var writer = new ServerSentEventWriter(pipe.Writer);
        using var cancellation = new CancellationTokenSource();
        var first = writer.WriteAsync("first", cancellationToken: Cancel).AsTask();
        var second = writer.WriteAsync("second", cancellationToken: cancellation.Token).AsTask();

        await cancellation.CancelAsync();
        await second.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();

        (await ReadAsync(pipe)).Should().Be("data: first\n\n");
        await first.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        var third = writer.WriteAsync("third", cancellationToken: Cancel).AsTask();
        (await ReadAsync(pipe)).Should().Be("data: third\n\n");
        await third.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task CompleteAsync_Twice_OnlyTheFirstTouchesThePipe()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);
        await writer.CompleteAsync(cancellationToken: Cancel);

        await writer.CompleteAsync(TimeSpan.FromSeconds(1), Cancel);

        writer.TryWriteHeartbeat().Should().BeFalse();
        pipe.Writer.UnflushedBytes.Should().Be(0);
        pipe.Reader.TryRead(out _).Should().BeFalse();
    }

    [Fact]
    public async Task CompleteAsync_WithoutAutoFlush_SendsWhatWasAccepted()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer, new() { AutoFlush = false });
        await writer.WriteAsync("last", cancellationToken: Cancel);

        await writer.CompleteAsync(cancellationToken: Cancel);

        (await ReadAsync(pipe)).Should().Be("data: last\n\n");
    }

    // The host says goodbye; the application notices first, and its own end completes the stream.
    [Fact]
    public async Task CompleteAsync_RetryBehindAnotherCall_IsSaidByThat()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64, resumeWriterThreshold: 1));
        var writer = new ServerSentEventWriter(pipe.Writer);
        var write = writer.WriteAsync(new string('x', 64), cancellationToken: Cancel).AsTask();
        var plain = writer.CompleteAsync(cancellationToken: Cancel).AsTask();
        var withRetry = writer.CompleteAsync(TimeSpan.FromSeconds(1), Cancel).AsTask();

        await ReadAsync(pipe);
        await Task.WhenAll(write, plain, withRetry).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        (await ReadAsync(pipe)).Should().Be("retry: 1000\n\n");
    }

    [Fact]
    public async Task IsWriting_FlushIsPending_IsTrueUntilItEnds()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2, resumeWriterThreshold: 1));
        var writer = new ServerSentEventWriter(pipe.Writer);
        writer.IsWriting.Should().BeFalse();

        var write = writer.WriteAsync("waits", cancellationToken: Cancel).AsTask();
        writer.IsWriting.Should().BeTrue();

        var read = await pipe.Reader.ReadAsync(Cancel);
        pipe.Reader.AdvanceTo(read.Buffer.End);
        await write.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        writer.IsWriting.Should().BeFalse();
    }

    [Fact]
    public async Task CompleteAsync_WithRetry_WritesItLast()
    {
        var pipe = new Pipe();
        var writer = new ServerSentEventWriter(pipe.Writer);

        await writer.CompleteAsync(TimeSpan.FromMilliseconds(1234), Cancel);

        (await ReadAsync(pipe)).Should().Be("retry: 1234\n\n");
        await writer.Invoking(async w => await w.WriteAsync("x")).Should().ThrowAsync<OperationCanceledException>();
        writer.TryWriteHeartbeat().Should().BeFalse();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WriteAsync_FlushCompletesAtOnce_AllocatesNothing(bool? isMeasured)
    {
        using var meter = new TestMeter(keep: false);
        var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var writer = isMeasured is null
            ? new ServerSentEventWriter(pipe.Writer)
            : new ServerSentEventWriter(pipe.Writer, null, ServerSentEventMetrics.For(isMeasured.Value ? meter : null));
        var prepared = PreparedServerSentEvent.Create("x");
        var utf8 = "{\"t\":\"ab\"}"u8.ToArray();
        var tick = new Tick(1);
        for (var round = 0; round < 1000; round++)
            WriteAll();

        var before = GC.GetAllocatedBytesForCurrentThread();
        WriteAll();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        (meter.Total > 0).Should().Be(isMeasured is true);

        void WriteAll()
        {
            Done(writer.WriteAsync(utf8));
            Done(writer.WriteAsync("text", "t", "1"));
            Done(writer.WriteAsync(prepared, "7"));
            Done(writer.WriteAsync(tick, TestJson.Default.Tick));
            writer.TryWriteHeartbeat();
            pipe.Reader.TryRead(out var result);
            pipe.Reader.AdvanceTo(result.Buffer.End);
        }

        await writer.CompleteAsync(cancellationToken: Cancel);
    }

    [Fact]
    public async Task Backlog_IsWhatAFlushLeavesWaiting()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1000, resumeWriterThreshold: 500, useSynchronizationContext: false));
        var backlog = new Backlog();
        var writer = new ServerSentEventWriter(pipe.Writer, null, ServerSentEventMetrics.For(null), backlog);
        var small = new byte[10];
        for (var round = 0; round < 1000; round++)
            WriteAndRead();
        var before = GC.GetAllocatedBytesForCurrentThread();
        WriteAndRead();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        backlog.Changes.Should().BeEmpty("it was taken at once");

        var write = writer.WriteAsync(new byte[2000], cancellationToken: Cancel).AsTask();
        var encoded = writer.SendEncodedAsync(new byte[300]).AsTask();
        backlog.Changes.Should().Equal("data: \n\n".Length + 2000, 300);
        while (!write.IsCompleted || !encoded.IsCompleted)
        {
            if (pipe.Reader.TryRead(out var result))
                pipe.Reader.AdvanceTo(result.Buffer.End);
            await Task.Delay(1, Cancel);
        }

        backlog.Changes.Sum().Should().Be(0);
        await writer.CompleteAsync(cancellationToken: Cancel);

        void WriteAndRead()
        {
            Done(writer.WriteAsync(small));
            pipe.Reader.TryRead(out var result);
            pipe.Reader.AdvanceTo(result.Buffer.End);
        }
    }

    private static void Done(ValueTask write)
    {
        if (!write.IsCompletedSuccessfully)
            throw new InvalidOperationException("The write did not complete at once.");
    }

    private sealed class Backlog : IBacklogObserver
    {
        private readonly List<long> _changes = [];

        public long[] Changes
        {
            get
            {
                lock (_changes)
                    return [.. _changes];
            }
        }

        public void OnBacklogChanged(long change)
        {
            lock (_changes)
                _changes.Add(change);
        }
    }

    private static async Task<string> ReadAsync(Pipe pipe)
    {
        var result = await pipe.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        var text = Encoding.UTF8.GetString(result.Buffer.ToArray());
        pipe.Reader.AdvanceTo(result.Buffer.End);
        return text;
    }
}
