using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

/// <summary>
/// What costs while nobody listens, with the meters and the activity sources there: nothing on the paths of a message. Runs on one
/// thread, so that its own counter tells.
/// </summary>
public class UnheardTests
{
    private const int Warm = 500;
    private const int Count = 500;
    private const int Entries = 2_000;
    private static readonly byte[] Payload = Encoding.UTF8.GetBytes(new string('x', 100));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task SendAndReceive_NobodyListens_AllocateNothing()
    {
        await MakeSourcesAsync();
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        var (toServer, toClient) = (new Pipe(inline), new Pipe(inline));
        var still = new FakeTimeProvider();   // a tick of the wheel would read ahead on a thread of its own
        var client = WebSocketConnection.Create(new Ends(toClient.Reader, toServer.Writer), new WebSocketConnectionOptions { Role = WebSocketRole.Client, TimeProvider = still });
        var server = WebSocketConnection.Create(new Ends(toServer.Reader, toClient.Writer), new WebSocketConnectionOptions { TimeProvider = still });
        Allocated(() =>
        {
            Done(client.SendAsync(Payload, WebSocketMessageType.Text));
            var message = Done(server.ReceiveAsync());
            Done(server.SendAsync(message.Payload, message.Type));
            Check(Done(client.ReceiveAsync()).Payload.Length == Payload.Length);
        }).Should().Be(0);
        client.Abort();
        server.Abort();
    }

    [Fact(Timeout = 60_000)]
    public async Task WriteAndParse_NobodyListens_AllocateNothing()
    {
        await MakeSourcesAsync();
        var pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        var writer = new ServerSentEventWriter(pipe.Writer);
        using var assembler = new ServerSentEventAssembler();
        Allocated(() =>
        {
            Done(writer.WriteAsync(Payload, id: "7"));
            Check(pipe.Reader.TryRead(out var read));
            var input = read.Buffer;
            Check(assembler.TryRead(ref input, out var view) && view.Data.Length == Payload.Length);
            pipe.Reader.AdvanceTo(input.Start, input.End);
        }).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task Publish_NobodyListens_AllocatesWhatTheEngineDoes()
    {
        await MakeSourcesAsync();
        await using var hub = new TopicHub(options: Short(), meterFactory: null);
        await using var engine = new TopicHub(options: Short(), meterFactory: null);
        var publication = new TopicPublication("topic", Payload);

        var engines = Allocated(() => Done(engine.Engine.PublishAsync(publication, default)));
        var hubs = Allocated(() => Done(hub.PublishAsync("topic", Payload)));

        engines.Should().BePositive("an entry is stored");
        hubs.Should().Be(engines, "the hub's meter and source add nothing to the engine's entry");
    }

    [Fact(Timeout = 60_000)]
    public async Task Deliver_NobodyListens_AllocatesNothing()
    {
        await MakeSourcesAsync();
        var options = new TopicsOptions { BatchCount = 1 };
        options.Default.HistoryCount = 2 * Entries;
        await using var hub = new TopicHub(options: options, meterFactory: null);
        var cursor = await hub.GetCursorAsync(["topic"], Cancelled);
        for (var i = 0; i < Entries; i++)
            await hub.PublishAsync("topic", Payload, cancellationToken: Cancelled);
        var taker = new MeasuringTaker();
        for (var round = 0; round < 10; round++)
        {
            taker.Begin();
            await using var subscription = await hub.SubscribeAsync(taker, ["topic"], cursor, cancellationToken: Cancelled);
            while (taker.Delivered < Entries)
                await Task.Delay(5, Cancelled);
        }

        taker.Measured.Should().BeGreaterThan(Entries / 10);
        taker.Least.Should().Be(0);
    }

    /// <summary>All sources there are, and nobody listens to one.</summary>
    private static async Task MakeSourcesAsync()
    {
        var sources = new ConcurrentBag<ActivitySource>();
        using (var curious = new ActivityListener { ShouldListenTo = source => Add(sources, source) })
        {
            ActivitySource.AddActivityListener(curious);
            await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(new Uri("ws://127.0.0.1:1/"), cancellationToken: Cancelled)).Should().ThrowAsync<WebSocketConnectException>();
            await using var hub = new TopicHub();
            await hub.PublishAsync("topic", "x", cancellationToken: Cancelled);
            using var ended = new CancellationTokenSource();
            await ended.CancelAsync();
            await using var client = new ServerSentEventClient(new Uri("http://127.0.0.1:1/"));
            await FluentActions.Awaiting(async () => await client.ReadAllAsync(ended.Token).GetAsyncEnumerator(ended.Token).MoveNextAsync()).Should().ThrowAsync<OperationCanceledException>();
        }

        var ours = sources.Where(source => source.Name.StartsWith("RealtimeKit.", StringComparison.Ordinal)).ToArray();
        ours.Select(source => source.Name).Distinct().Should().BeEquivalentTo("RealtimeKit.WebSockets", "RealtimeKit.ServerSentEvents", "RealtimeKit.Topics");
        ours.Should().OnlyContain(source => !source.HasListeners());

        static bool Add(ConcurrentBag<ActivitySource> sources, ActivitySource source)
        {
            sources.Add(source);
            return false;
        }
    }

    private static TopicsOptions Short() => new TopicsOptions().Topic("topic", topic => topic.HistoryCount = 16);

    private static long Allocated(Action action)
    {
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < Warm; i++)
                action();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Count; i++)
                action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private static void Done(ValueTask task)
    {
        Check(task.IsCompletedSuccessfully);
        task.GetAwaiter().GetResult();
    }

    private static T Done<T>(ValueTask<T> task)
    {
        Check(task.IsCompletedSuccessfully);
        return task.Result;
    }

    // An assertion would allocate.
    private static void Check(bool condition)
    {
        if (!condition)
            throw new InvalidOperationException("It went another way.");
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Measures from one batch to the next, where the same thread comes with both.</summary>
    private sealed class MeasuringTaker : ITopicSubscriber
    {
        private int _thread;
        private long _before;
        private long _sum;
        private volatile int _delivered;

        public int Delivered => _delivered;

        public int Measured { get; private set; }

        public long Least { get; private set; } = long.MaxValue;

        public void Begin()
        {
            _thread = -1;
            _delivered = 0;
            _sum = 0;
            Measured = 0;
        }

        public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items)
        {
            if (_thread == Environment.CurrentManagedThreadId)
            {
                Measured++;
                _sum += GC.GetAllocatedBytesForCurrentThread() - _before;
            }

            if (_delivered + items.Length == Entries)
                Least = Math.Min(Least, _sum);
            _thread = Environment.CurrentManagedThreadId;
            _before = GC.GetAllocatedBytesForCurrentThread();
            _delivered += items.Length;
            return ValueTask.CompletedTask;
        }

        public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
        {
        }
    }
}
