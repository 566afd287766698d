using System.Diagnostics;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Tests;

public class WebSocketDrainCases
{
    // The host's default; a drain that works takes a fraction of it, one that does not takes all of it.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    public static TheoryData<Wire> AllWires => Wires.All;

    public static TheoryData<Wire> Http1Wires => Wires.Http1;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task Stop_OpenConnections_AreToldAndHandlersEnd(Wire wire)
    {
        var results = new List<WebSocketCloseResult?>();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            await Handlers.EchoAsync(connection);
            lock (results)
                results.Add(connection.CloseResult);
        });
        var clients = new List<ClientWebSocket>();
        for (var i = 0; i < 10; i++)
        {
            clients.Add(await server.ConnectAsync());
            await clients[i].SendTextAsync("x");
            await clients[i].ReceiveMessageAsync();
        }

        var stop = server.App.StopAsync(Until.Cancelled);
        foreach (var client in clients)
        {
            (await client.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
            client.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
            await client.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        }

        // Ends long before the shutdown timeout, or the test's own bound is exceeded.
        var watch = Stopwatch.StartNew();
        await stop;
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
        results.Should().HaveCount(10).And.AllBeEquivalentTo(
            new WebSocketCloseResult(WebSocketCloseStatus.EndpointUnavailable, null, WebSocketCloseInitiator.Local, true));
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug);
        clients.ForEach(client => client.Dispose());
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Stop_PeersThatNeverAnswer_AreCutOffBeforeTheShutdownTimeout(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options => options.Connection.CloseTimeout = TimeSpan.FromMinutes(10));
        await using var client = await server.ConnectRawAsync();
        var watch = Stopwatch.StartNew();
        var stop = server.App.StopAsync(Until.Cancelled);
        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await stop;
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Stop_WhileAHandshakeIsUnderWay_ThatConnectionToo(Wire wire)
    {
        var isAccepting = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync, options =>
        {
            options.Connection.CloseTimeout = TimeSpan.FromMinutes(10);
            options.Accept = async (_, _) =>
            {
                isAccepting.SetResult();
                await goOn.Task;
                return true;
            };
        });
        var connecting = server.ConnectRawAsync();
        await isAccepting.Task;
        var watch = Stopwatch.StartNew();
        var stop = server.App.StopAsync(Until.Cancelled);
        await Task.Delay(500, Until.Cancelled);   // the drain has begun, and found nobody
        goOn.SetResult();
        await using var client = await connecting;
        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await stop;
        watch.Elapsed.Should().BeLessThan(ShutdownTimeout / 2);
    }

    [Theory(Timeout = Until.Bound), MemberData(nameof(Http1Wires))]
    public async Task Stop_WhileMessagesWait_TheyAreStillAnswered(Wire wire)
    {
        // What was in the connection before the Close is the peer's due; what comes after is discarded (RFC 6455 §1.4).
        var isBusy = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(wire, async connection =>
        {
            var message = await connection.ReceiveAsync();
            isBusy.SetResult();
            await goOn.Task;
            await connection.SendAsync(message.Payload, message.Type);
        });
        await using var client = await server.ConnectRawAsync();
        await client.SendAsync(RawWebSocket.Text("one"));
        await isBusy.Task;
        var stop = server.App.StopAsync(Until.Cancelled);
        (await client.ReceiveAsync())!.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await client.SendAsync(RawWebSocket.Close(1001));
        goOn.SetResult();
        (await client.ReceiveAsync()).Should().BeNull("nothing follows a Close frame (RFC 6455 §5.5.1)");
        await stop;
        server.Logs.Ours.Should().NotContain(record => record.Level > LogLevel.Debug, "a send that came too late is no failure of the handler");
    }
}
