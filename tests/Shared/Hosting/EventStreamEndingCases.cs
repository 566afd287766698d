using System.Collections.Concurrent;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Tests;

public class EventStreamEndingCases
{
    private readonly FakeTimeProvider _time = new();

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task ClientGoes_HandlerWaits_ItsTokenIsCancelled(Wire wire)
    {
        var ended = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", TestServerHost.WatchfulEvents, async (_, cancel) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
            finally
            {
                ended.SetResult();
            }
        }));
        (await EventStream.OpenedAsync(server)).Dispose();
        await ended.Task;
        await EndedAsync(server, "ClientGone");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ClientGoes_SequenceWaits_ItIsDisposed()
    {
        var disposed = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", TestServerHost.WatchfulEvents, (_, _) => WaitForEver(disposed)));
        (await EventStream.OpenedAsync(server)).Dispose();
        await disposed.Task;
        await EndedAsync(server, "ClientGone");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task ClientGoes_HandlerOnlyWrites_AWriteThrows(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, _) =>
        {
            // Never looks at its token.
            while (true)
                await events.WriteAsync("x", cancellationToken: CancellationToken.None);
        }));
        (await EventStream.OpenedAsync(server)).Dispose();
        await EndedAsync(server, "ClientGone");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ClientResets_HeartbeatsOnly_IsNoticed()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", TestServerHost.WatchfulEvents, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
        await using var client = await RawRequest.SendAsync(server.Port, "/sse");
        await client.ReadUntilAsync("retry: 3000\n\n");
        client.Reset();
        await EndedAsync(server, "ClientGone");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task MaxAge_IsReached_StreamEndsInTheLastTenth(Wire wire)
    {
        const int Streams = 10;
        var options = new ServerSentEventEndpointOptions
        {
            TimeProvider = _time,
            MaxAge = TimeSpan.FromMinutes(1),
            HeartbeatInterval = TimeSpan.FromSeconds(1),
            WriteTimeout = Timeout.InfiniteTimeSpan,   // the clock outruns any write
        };
        var writers = new ConcurrentBag<ServerSentEventWriter>();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, cancel) =>
        {
            writers.Add(events);
            await Task.Delay(Timeout.Infinite, cancel);
        }));
        var streams = new List<EventStream>();
        for (var i = 0; i < Streams; i++)
            streams.Add(await EventStream.OpenedAsync(server));
        await Until.TrueAsync(() => writers.Count == Streams);

        _time.Pass(TimeSpan.FromSeconds(53.5));
        writers.Should().NotContain(writer => writer.IsClosed);
        var endings = new HashSet<int>();
        for (var i = 0; i < 27; i++)
        {
            _time.Pass(TimeSpan.FromSeconds(0.25));
            var ended = writers.Count(writer => writer.IsClosed);
            await Until.TrueAsync(() => Ended(server).Count == ended);
            endings.Add(ended);
        }

        endings.Should().Contain(Streams).And.HaveCountGreaterThan(2, "streams that began together shall not all end together");
        foreach (var stream in streams)
        {
            (await stream.ReadToEndAsync()).Should().NotContain(block => block != ":");
            stream.Dispose();
        }

        Ended(server).Should().OnlyContain(message => message.EndsWith("MaxAge."));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task MaxAge_HandlerDoesNotListen_IsCutOff()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stuck = new TaskCompletionSource();
        var options = new ServerSentEventEndpointOptions { TimeProvider = _time, MaxAge = TimeSpan.FromMinutes(1), HeartbeatInterval = Timeout.InfiniteTimeSpan };
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", options, async (_, _) =>
        {
            started.SetResult();
            await stuck.Task;
        }));
        await using var client = await RawRequest.SendAsync(server.Port, "/sse");
        await client.ReadUntilAsync("retry: 3000\n\n");
        await started.Task;   // what the client has read, the server may still be writing: by this clock for longer than a write may take
        _time.Pass(TimeSpan.FromSeconds(61));
        var end = client.ReadUntilAsync("never");
        _time.Pass(TimeSpan.FromSeconds(20));   // five seconds, noticed up to two visits late
        await end.Invoking(task => task).Should().ThrowAsync<Exception>("the connection has been closed");
        stuck.SetResult();
        await EndedAsync(server, "MaxAge");
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task WriteTimeout_ClientDoesNotRead_IsAborted(Wire wire)
    {
        // Stalls once the buffers in between are full; time passes only while it does.
        var options = new ServerSentEventEndpointOptions { TimeProvider = _time };
        ServerSentEventWriter? writer = null;
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, _) =>
        {
            writer = events;
            var data = new byte[64 * 1024];
            while (true)
                await events.WriteAsync(data, cancellationToken: CancellationToken.None);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        await StalledAsync(() => writer!);

        _time.Pass(TimeSpan.FromSeconds(29));
        writer!.IsClosed.Should().BeFalse();
        _time.Pass(TimeSpan.FromSeconds(16));
        await EndedAsync(server, "WriteTimeout");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_WriteHasWaitedForLong_StillHasItsTimeToEnd()
    {
        ServerSentEventWriter? writer = null;
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", new ServerSentEventEndpointOptions { TimeProvider = _time }, async (events, _) =>
        {
            writer = events;
            var data = Enumerable.Repeat((byte)'x', 64 * 1024).ToArray();
            while (true)
                await events.WriteAsync(data, cancellationToken: CancellationToken.None);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        await StalledAsync(() => writer!);
        _time.Pass(TimeSpan.FromSeconds(20));

        var stopping = server.App.StopAsync(Until.Cancelled);
        await Until.TrueAsync(() => writer!.IsClosed);
        _time.Pass(TimeSpan.FromSeconds(4));

        (await stream.ReadToEndAsync()).Last().Should().StartWith("retry: ", "the client came back in time");
        await stopping;
    }

    [Fact(Timeout = Until.Bound)]
    public async Task WriteTimeout_ClientReadsAgainInTime_StreamGoesOn()
    {
        const int Events = 200;
        var options = new ServerSentEventEndpointOptions { TimeProvider = _time, HeartbeatInterval = Timeout.InfiniteTimeSpan };
        ServerSentEventWriter? writer = null;
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", options, async (events, _) =>
        {
            writer = events;
            for (var i = 0; i < Events; i++)
                await events.WriteAsync(new byte[64 * 1024], id: $"{i}", cancellationToken: CancellationToken.None);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        await StalledAsync(() => writer!);
        _time.Pass(TimeSpan.FromSeconds(25));
        (await stream.ReadToEndAsync()).Should().HaveCount(Events);
        await EndedAsync(server, "HandlerReturned");
    }

    // The buffers between take megabytes, at no known moment: full is what has not moved for a while.
    internal static async Task StalledAsync(Func<ServerSentEventWriter?> writer)
    {
        var (count, same) = (-1L, 0);
        await Until.TrueAsync(() =>
        {
            same = writer() is { IsWriting: true } events && events.WriteCount == count ? same + 1 : 0;
            count = writer()?.WriteCount ?? -1;
            return same == 100;
        });
    }

    private static Task EndedAsync(TestServerHost server, string reason) =>
        Until.TrueAsync(() => Ended(server).Any(message => message.EndsWith($"{reason}.", StringComparison.Ordinal)));

    private static List<string> Ended(TestServerHost server) => [.. server.Logs.Ours.Where(record => record.Event.Name == "StreamEnded").Select(record => record.Message)];

    private static async IAsyncEnumerable<SseItem<string>> WaitForEver(TaskCompletionSource disposed, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
            yield break;
        }
        finally
        {
            disposed.SetResult();
        }
    }
}
