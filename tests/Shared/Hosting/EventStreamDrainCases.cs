using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Tests;

public class EventStreamDrainCases
{
    // The host's default; a drain that works takes a fraction of it, one that does not takes all of it.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stop_OpenStreams_AreSentARetryOfTheirOwnAndEnd(Wire wire)
    {
        var options = new ServerSentEventEndpointOptions { Retry = TimeSpan.FromSeconds(3), ShutdownSpread = TimeSpan.FromSeconds(20) };
        await using var server = await TestServerHost.StartAsync(wire, app =>
            app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel)));
        var streams = new List<EventStream>();
        for (var i = 0; i < 10; i++)
            streams.Add(await EventStream.OpenedAsync(server));

        var watch = Stopwatch.StartNew();
        var stop = server.App.StopAsync(Until.Cancelled);
        var retries = new List<int>();
        foreach (var stream in streams)
        {
            var blocks = await stream.ReadToEndAsync();
            blocks.Should().ContainSingle().Which.Should().StartWith("retry: ");
            retries.Add(int.Parse(blocks[0]["retry: ".Length..], CultureInfo.InvariantCulture));
            stream.Dispose();
        }

        await stop;
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
        retries.Should().OnlyContain(retry => retry >= 3000 && retry <= 23_000);
        retries.Distinct().Should().HaveCountGreaterThan(1, "they shall not all come back together");
        server.Logs.Ours.Where(record => record.Event.Name == "StreamEnded").Should().HaveCount(10).And.OnlyContain(record => record.Message.EndsWith("Shutdown."));
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stop_StreamIsBusy_EndsBetweenEvents(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapServerSentEvents("/sse", async (events, _) =>
        {
            while (true)
                await events.WriteAsync("one\ntwo", cancellationToken: CancellationToken.None);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        (await stream.ReadAsync()).Should().Be("data: one\ndata: two");
        var stop = server.App.StopAsync(Until.Cancelled);
        var last = "";
        while (await stream.ReadAsync() is { } block)
        {
            if (block != "data: one\ndata: two")
                last = block;
            else
                last.Should().BeEmpty("nothing follows the retry");
        }

        last.Should().StartWith("retry: ");
        await stop;
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_ClientDoesNotRead_IsCutOffBeforeTheShutdownTimeout()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapServerSentEvents("/sse", async (events, _) =>
        {
            while (true)
                await events.WriteAsync(new byte[64 * 1024], cancellationToken: CancellationToken.None);
        }));
        using var stream = await EventStream.OpenedAsync(server);
        var watch = Stopwatch.StartNew();
        await server.App.StopAsync(Until.Cancelled);
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_WebSocketsToo_AllAreDrained()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.MapServerSentEvents("/sse", (_, cancel) => Task.Delay(Timeout.Infinite, cancel));
            app.MapWebSocket("/ws", Handlers.EchoAsync);
        });
        using var stream = await EventStream.OpenedAsync(server);
        using var socket = await server.ConnectAsync();
        var stop = server.App.StopAsync(Until.Cancelled);
        (await stream.ReadToEndAsync()).Should().ContainSingle();
        await socket.ReceiveMessageAsync();
        await socket.CloseOutputAsync(socket.CloseStatus!.Value, null, Until.Cancelled);
        await stop;
    }
}
