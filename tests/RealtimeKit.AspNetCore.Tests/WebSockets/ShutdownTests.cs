using System.Diagnostics;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class ShutdownTests
{
    // The host's default; a drain that works takes a fraction of it, one that does not takes all of it.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Stream), InlineData(Wire.Http2)]
    public async Task Stop_HandlerBusyWithSomethingElse_LearnsFromRequestAborted(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapWebSocket(
            "/ws",
            new WebSocketEndpointOptions { ForceStream = wire.IsStream() },
            async (connection, http) =>
            {
                await connection.SendAsync("started");
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
            }));
        using var client = await server.ConnectAsync();
        await client.ReceiveTextAsync();
        var watch = Stopwatch.StartNew();
        var stop = server.App.StopAsync(Until.Cancelled);
        (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        await stop;
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_ShutdownTimeoutIsShort_DrainIsShorter()
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app => app.MapWebSocket("/ws", Handlers.EchoAsync),
            builder => builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(6)));
        await using var client = await server.ConnectRawAsync();
        await server.App.StopAsync(Until.Cancelled);
        await Until.TrueAsync(() => server.Logs.Ours.Any(record => record.Event.Name == "Closed"));
        server.Logs.All.Should().NotContain(record => record.Message.Contains("Some connections failed to close gracefully"));
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_AcceptedByHand_IsToldToo()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapGet("/ws", async (HttpContext http) =>
        {
            await using var connection = await http.AcceptWebSocketAsync();
            await Handlers.EchoAsync(connection!);
        }));
        using var client = await server.ConnectAsync();
        var stop = server.App.StopAsync(Until.Cancelled);
        await client.ReceiveMessageAsync();
        client.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        await stop;
    }
}
