using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

public class ShutdownTests
{
    // The host's default; a drain that works takes a fraction of it, one that does not takes all of it.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stop_HandlerDoesNotListen_IsToldByRequestAborted(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, _, http, _) =>
        {
            await events.WriteAsync("started", cancellationToken: CancellationToken.None);
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: started");
        var watch = Stopwatch.StartNew();
        await server.App.StopAsync(Until.Cancelled);
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
    }
}
