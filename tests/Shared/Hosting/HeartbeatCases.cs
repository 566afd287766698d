using Microsoft.Extensions.Time.Testing;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Tests;

public class HeartbeatCases
{
    private readonly FakeTimeProvider _time = new();
    private ServerSentEventWriter? _writer;

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Idle_EveryInterval_ACommentIsSent(Wire wire)
    {
        await using var server = await StartAsync(wire, new ServerSentEventEndpointOptions { TimeProvider = _time });
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: ready");
        for (var i = 0; i < 5; i++)
        {
            await PassAsync(TimeSpan.FromSeconds(15));
            (await stream.ReadAsync()).Should().Be(":");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Idle_NamedHeartbeats_AreEventsThatAPageSees()
    {
        var options = new ServerSentEventEndpointOptions { TimeProvider = _time, HeartbeatInterval = TimeSpan.FromSeconds(1), Writer = new() { HeartbeatEventType = "alive" } };
        await using var server = await StartAsync(Wire.Pipes, options);
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: ready");
        for (var i = 0; i < 5; i++)
        {
            await PassAsync(TimeSpan.FromSeconds(1));
            (await stream.ReadAsync()).Should().Be("event: alive\ndata: ");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Busy_EventsComeMoreOften_NoHeartbeatIsSent()
    {
        var (server, write) = await StartWritableAsync(new ServerSentEventEndpointOptions { TimeProvider = _time });
        await using var _ = server;
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: ready");
        for (var i = 0; i < 20; i++)
        {
            await PassAsync(TimeSpan.FromSeconds(11));
            await write($"{i}");
            (await stream.ReadAsync()).Should().Be($"data: {i}");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Idle_AfterAnEventAtAnyTime_SilenceIsNeverLongerThanTheInterval()
    {
        var (server, write) = await StartWritableAsync(new ServerSentEventEndpointOptions { TimeProvider = _time });
        await using var _ = server;
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: ready");
        for (var quarterSeconds = 1; quarterSeconds < 40; quarterSeconds++)
        {
            await PassAsync(TimeSpan.FromSeconds(quarterSeconds / 4.0));
            await write($"{quarterSeconds}");
            (await stream.ReadAsync()).Should().Be($"data: {quarterSeconds}");

            await PassAsync(TimeSpan.FromSeconds(7.5));
            await write("half an interval later");
            (await stream.ReadAsync()).Should().Be("data: half an interval later", "a heartbeat goes only when there has been silence");
            await PassAsync(TimeSpan.FromSeconds(15));
            (await stream.ReadAsync()).Should().Be(":");
        }
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Idle_NoHeartbeats_StaysSilent()
    {
        var (server, write) = await StartWritableAsync(new ServerSentEventEndpointOptions { TimeProvider = _time, HeartbeatInterval = Timeout.InfiniteTimeSpan });
        await using var _ = server;
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: ready");
        await PassAsync(TimeSpan.FromHours(1));
        await write("at last");
        (await stream.ReadAsync()).Should().Be("data: at last");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Busy_SeveralWritersAndHeartbeats_NothingIsTorn(Wire wire)
    {
        const int Writers = 2;
        const int Events = 500;
        var options = new ServerSentEventEndpointOptions
        {
            TimeProvider = _time,
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            WriteTimeout = Timeout.InfiniteTimeSpan,
            MaxAge = Timeout.InfiniteTimeSpan,
            Retry = null,
            OpeningComment = null,
        };
        var isDone = false;
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, cancel) =>
        {
            // Not before the clock runs: a server may be done before its client has seen the headers.
            var opened = events.WriteCount;
            while (events.WriteCount == opened)
                await Task.Delay(1, cancel);
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
            {
                for (var i = 0; i < Events; i++)
                {
                    await events.WriteAsync($"{writer} {i} {new string('x', i * 10)}", cancellationToken: cancel);
                    if (i % 5 == 0)
                        await Task.Delay(1, cancel);
                }
            })));
            Volatile.Write(ref isDone, true);
        }));
        using var stream = await EventStream.OpenAsync(server);
        var ticking = Task.Run(() =>
        {
            while (!Volatile.Read(ref isDone))
                _time.Pass(TimeSpan.FromSeconds(0.25));
        });
        var next = new int[Writers];
        var heartbeats = 0;
        await foreach (var block in ReadAllAsync(stream))
        {
            if (block == ":")
            {
                heartbeats++;
                continue;
            }

            var parts = block.Split(' ');
            var i = next[int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)]++;
            parts.Should().Equal("data:", parts[1], $"{i}", new string('x', i * 10));
        }

        await ticking;
        next.Should().AllBeEquivalentTo(Events);
        heartbeats.Should().BePositive();
    }

    private static async IAsyncEnumerable<string> ReadAllAsync(EventStream stream)
    {
        while (await stream.ReadAsync() is { } block)
            yield return block;
    }

    // What the client has read, the server may still be about to finish; and no heartbeat follows a write that is under way.
    private async Task PassAsync(TimeSpan duration)
    {
        await Until.TrueAsync(() => _writer is { IsWriting: false });
        _time.Pass(duration);
    }

    private Task<TestServerHost> StartAsync(Wire wire, ServerSentEventEndpointOptions options) =>
        TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, cancel) =>
        {
            _writer = events;
            await events.WriteAsync("ready", cancellationToken: cancel);
            await Task.Delay(Timeout.Infinite, cancel);
        }));

    private async Task<(TestServerHost Server, Func<string, Task> Write)> StartWritableAsync(ServerSentEventEndpointOptions options) =>
        (await StartAsync(Wire.Pipes, options), text => _writer!.WriteAsync(text).AsTask());
}
