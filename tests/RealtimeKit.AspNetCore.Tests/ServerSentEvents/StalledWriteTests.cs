using Microsoft.Extensions.Time.Testing;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class StalledWriteTests
{
    private readonly FakeTimeProvider _time = new();

    // HTTP/2 keeps an unread stream back after 64 KiB: no socket's buffers decide when a write stalls.
    [Fact(Timeout = Until.Bound)]
    public async Task Close_AWriteHasStalledForLongBefore_HandlerStillHasItsTimeToEnd()
    {
        const int Events = 40;
        var written = 0;
        ServerSentEventWriter? writer = null;
        var closed = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        var options = new ServerSentEventEndpointOptions
        {
            TimeProvider = _time,
            WriteTimeout = Timeout.InfiniteTimeSpan,
            HeartbeatInterval = TimeSpan.FromSeconds(1),   // which is how often it is looked at
            MaxAge = Timeout.InfiniteTimeSpan,
        };
        await using var server = await TestServerHost.StartAsync(Wire.Http2, app => app.MapServerSentEvents("/sse", options, async (events, _) =>
        {
            writer = events;
            for (; written < Events; Interlocked.Increment(ref written))
                await events.WriteAsync(new string('x', 20_000), cancellationToken: CancellationToken.None);
            events.Close();
            closed.SetResult();
            await mayEnd.Task;
        }));
        using var stream = await EventStream.OpenedAsync(server);
        await EventStreamEndingCases.StalledAsync(() => writer);
        Volatile.Read(ref written).Should().BeLessThan(Events, "nobody reads");
        _time.Pass(TimeSpan.FromMinutes(1));

        for (var i = 0; i < Events; i++)
            (await stream.ReadAsync())!.Length.Should().Be("data: ".Length + 20_000);
        await closed.Task;
        _time.Pass(TimeSpan.FromSeconds(3));
        mayEnd.SetResult();
        (await stream.ReadAsync()).Should().BeNull("the response ends in order");
    }
}
