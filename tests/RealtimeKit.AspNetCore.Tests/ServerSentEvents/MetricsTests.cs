using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>The meter RealtimeKit.ServerSentEvents as a host's exporter sees it.</summary>
public class MetricsTests
{
    private const string Reason = "realtimekit.sse.end_reason=";
    private readonly FakeTimeProvider _time = new();

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stream_FromOpenToEnd_IsCounted(Wire wire)
    {
        const string Body = ": open\n\nretry: 3000\n\ndata: one\n\nid: 7\ndata: two\ndata: lines\n\ndata: {\"Number\":3,\"Text\":\"three\"}\n\n:\n\n: a comment\n\n";
        var options = new ServerSentEventEndpointOptions { TimeProvider = _time };
        var end = new TaskCompletionSource();
        ServerSentEventWriter? writer = null;
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", options, async (events, cancel) =>
        {
            writer = events;
            await events.WriteAsync("one", cancellationToken: cancel);
            await events.WriteAsync(PreparedServerSentEvent.Create("two\nlines"), "7", cancel);
            await events.WriteAsync(new Tick(3, "three"), Json.Default.Tick, cancellationToken: cancel);
            await end.Task;
            await events.WriteCommentAsync("a comment", cancel);
        }));
        using var meter = new MeterRecorder(server);
        using var stream = await EventStream.OpenedAsync(server);
        for (var i = 0; i < 3; i++)
            await stream.ReadAsync();
        meter.Sum("active_streams").Should().Be(1);

        await IdleAsync(() => writer);
        _time.Pass(TimeSpan.FromSeconds(15));
        (await stream.ReadAsync()).Should().Be(":");
        end.SetResult();
        await stream.ReadToEndAsync();

        (await meter.EndAsync()).Should().Be((15, Reason + "handler_returned"));
        meter.Sum("active_streams").Should().Be(0);
        meter.Values("active_streams").Should().HaveCount(2);
        meter.Sum("events").Should().Be(3);
        meter.Sum("heartbeats").Should().Be(1);
        meter.Sum("io").Should().Be(Body.Length);
        meter.Sum("write_timeouts").Should().Be(0);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stream_ClientGoes_SaysSo()
    {
        await using var server = await StartAsync(static (_, cancel) => Task.Delay(Timeout.Infinite, cancel));
        using var meter = new MeterRecorder(server);
        (await EventStream.OpenedAsync(server)).Dispose();
        (await meter.EndAsync()).Reason.Should().Be(Reason + "client_gone");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stream_HandlerFails_SaysSo()
    {
        await using var server = await StartAsync(static (_, _) => throw new InvalidOperationException("Failed on purpose."));
        using var meter = new MeterRecorder(server);
        using var stream = await EventStream.OpenedAsync(server);
        (await meter.EndAsync()).Reason.Should().Be(Reason + "handler_failed");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stream_HostStopsOrAgeIsReached_SaysSo()
    {
        ServerSentEventWriter? writer = null;
        await using var server = await StartAsync((events, cancel) =>
        {
            writer = events;
            return Task.Delay(Timeout.Infinite, cancel);
        });
        using var meter = new MeterRecorder(server);
        using var first = await EventStream.OpenedAsync(server);
        await IdleAsync(() => writer);
        _time.Pass(TimeSpan.FromHours(4));
        (await meter.EndAsync()).Reason.Should().Be(Reason + "max_age");

        using var second = await EventStream.OpenedAsync(server);
        await server.App.StopAsync(Until.Cancelled);
        meter.Values("stream.duration").Should().HaveCount(2).And.Subject.Last().Tag.Should().Be(Reason + "shutdown");
        meter.Sum("active_streams").Should().Be(0);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stream_ClientDoesNotRead_IsAWriteTimeout()
    {
        ServerSentEventWriter? writer = null;
        await using var server = await StartAsync(async (events, _) =>
        {
            writer = events;
            while (true)
                await events.WriteAsync(new byte[64 * 1024], cancellationToken: CancellationToken.None);
        });
        using var meter = new MeterRecorder(server);
        using var stream = await EventStream.OpenedAsync(server);
        await EventStreamEndingCases.StalledAsync(() => writer!);
        _time.Pass(TimeSpan.FromSeconds(45));

        (await meter.EndAsync()).Reason.Should().Be(Reason + "write_timeout");
        meter.Sum("write_timeouts").Should().Be(1);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task ActiveStreams_ListenerComesLater_DoNotFallBelowZero()
    {
        var end = new TaskCompletionSource();
        await using var server = await StartAsync((_, _) => end.Task);
        using var stream = await EventStream.OpenedAsync(server);
        using var meter = new MeterRecorder(server);
        end.SetResult();

        await meter.EndAsync();
        meter.Values("active_streams").Should().BeEmpty();
    }

    // What the client has read, the server may still be writing: by this clock for longer than a write may take.
    private static Task IdleAsync(Func<ServerSentEventWriter?> writer) => Until.TrueAsync(() => writer() is { IsWriting: false });

    private Task<TestServerHost> StartAsync(Func<ServerSentEventWriter, CancellationToken, Task> handler) =>
        TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", new ServerSentEventEndpointOptions { TimeProvider = _time }, handler));
}
