using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Listener.Tests.ServerSentEvents;

public class MemoryBudgetTests
{
    private const int MiB = 1 << 20;

    [Fact(Timeout = Until.Bound)]
    public async Task UsedUp_TheStreamForWhichMostWaits_IsCutOffAndTheOthersGoOn()
    {
        var budget = new RealtimeMemoryBudget(20 * MiB);
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                foreach (var size in new[] { 10, 8 * MiB, 16 * MiB })
                {
                    app.MapServerSentEvents($"/sse/{size}", async (events, closed) =>
                    {
                        await events.WriteAsync(new string('x', size), cancellationToken: closed);
                        await events.WriteAsync("more", cancellationToken: closed);
                        await Task.Delay(Timeout.Infinite, closed);
                    });
                }
            },
            new HttpListenerRouterOptions { MemoryBudget = budget });
        using var idle = await EventStream.OpenedAsync(server, "/sse/10");
        (await idle.ReadAsync()).Should().HaveLength("data: ".Length + 10);
        using var light = await EventStream.OpenedAsync(server, $"/sse/{8 * MiB}");
        await Until.TrueAsync(() => budget.RetainedBytes >= 8 * MiB);
        using var heavy = await EventStream.OpenedAsync(server, $"/sse/{16 * MiB}");
        await Until.TrueAsync(() => budget.ShedConnections == 1);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Id == RealtimeEventIds.StreamShed));

        (await light.ReadAsync()).Should().HaveLength("data: ".Length + (8 * MiB));
        (await light.ReadAsync()).Should().Be("data: more");
        await Until.TrueAsync(() => budget.RetainedBytes == 0);
        budget.ShedConnections.Should().Be(1);
    }
}
