using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Observability.Tests;

/// <summary>Does with WebSockets whatever is measured or traced.</summary>
internal static class WebSocketTraffic
{
    // RFC 6455 §7.4 and IANA's registry: those that may stand in a Close frame, and one each of the libraries' and the applications' own.
    private static readonly int[] CloseCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task RunAsync(Recording recording)
    {
        await MessagesAsync(recording);
        await EndingsAsync(recording);
        await ViolationAsync(recording);
        await SlowReaderAsync(recording);
        await HastySenderAsync(recording);
        await ShortOfMemoryAsync(recording);
        await ConnectsAsync(recording);
    }

    private static async Task MessagesAsync(Recording recording)
    {
        var (client, server) = WebSocketConnection.CreatePair(new() { Compression = new() });
        await client.SendAsync(new string('a', 5000), Cancelled);
        await client.SendAsync(new byte[100], WebSocketMessageType.Binary, Cancelled);
        for (var i = 0; i < 2; i++)
        {
            var message = await server.ReceiveAsync(Cancelled);
            await server.SendAsync(message.Payload, message.Type, Cancelled);
            await client.ReceiveAsync(Cancelled);
        }

        await client.PingAsync(Cancelled);
        await recording.UntilAsync("realtimekit.websocket.inflate.ratio");
        await recording.UntilAsync("realtimekit.websocket.ping.duration");
        client.Abort();
        server.Abort();
    }

    private static async Task EndingsAsync(Recording recording)
    {
        foreach (var code in CloseCodes)
        {
            var (client, server) = WebSocketConnection.CreatePair();
            var closing = client.CloseAsync((WebSocketCloseStatus)code, cancellationToken: Cancelled).AsTask();
            await server.ReceiveAsync(Cancelled);
            await closing;
            await server.DisposeAsync();
            await recording.UntilAsync("realtimekit.websocket.connection.duration", code < 3000 ? $"{code}" : $"{code / 1000}xxx");
        }

        // A Close frame without a code, and an end without a Close frame.
        var (empty, toEmpty) = Served();
        await toEmpty.Output.WriteAsync(new byte[] { 0x88, 0x80, 0, 0, 0, 0 }, Cancelled);
        await empty.ReceiveAsync(Cancelled);
        var (lost, toLost) = Served();
        await toLost.Output.CompleteAsync();
        await lost.ReceiveAsync(Cancelled);
        await recording.UntilAsync("realtimekit.websocket.connection.duration", "1005");
        await recording.UntilAsync("realtimekit.websocket.connection.duration", "network");
    }

    private static async Task ViolationAsync(Recording recording)
    {
        var (server, peer) = Served();
        await peer.Output.WriteAsync(new byte[] { 0x8B, 0x80, 0, 0, 0, 0 }, Cancelled);
        await FluentActions.Awaiting(async () => await server.ReceiveAsync(Cancelled)).Should().ThrowAsync<WebSocketProtocolException>();
        await recording.UntilAsync("realtimekit.websocket.protocol_errors", "ReservedOpcode");
        server.Abort();
    }

    private static async Task SlowReaderAsync(Recording recording)
    {
        // The pipes of a pair hold 64 KiB.
        var (client, server) = WebSocketConnection.CreatePair();
        for (var i = 0; i < 4; i++)
            await server.SendAsync(new byte[40_000], WebSocketMessageType.Binary, Cancelled);
        await recording.UntilAsync("realtimekit.websocket.send_queue");
        server.Abort();
        client.Abort();
    }

    private static async Task HastySenderAsync(Recording recording)
    {
        var (client, server) = WebSocketConnection.CreatePair(new() { MessagesPerSecond = 1, MessageBurst = 1, RateLimitAction = WebSocketRateLimitAction.Throttle });
        for (var i = 0; i < 3; i++)
            await client.SendAsync("again", Cancelled);
        await server.ReceiveAsync(Cancelled);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var receiving = server.ReceiveAsync(enough.Token).AsTask();
        await recording.UntilAsync("realtimekit.websocket.throttled");
        client.Abort();
        server.Abort();
        await receiving;
    }

    private static async Task ShortOfMemoryAsync(Recording recording)
    {
        var budget = new RealtimeMemoryBudget(1 << 20);
        var (client, server) = WebSocketConnection.CreatePair(new() { MemoryBudget = budget, MaxMessageSize = 16 << 20, SendBufferSize = 8 << 20 });
        var receiving = server.ReceiveAsync(Cancelled).AsTask();
        try
        {
            await client.SendAsync(new byte[4 << 20], WebSocketMessageType.Binary, Cancelled);
        }
        catch (WebSocketException)
        {
            // One of the two was ended.
        }

        await recording.UntilAsync("realtimekit.websocket.memory.shed");
        client.Abort();
        server.Abort();
        await receiving;
    }

    private static async Task ConnectsAsync(Recording recording)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapWebSocket("/", connection => connection.ReceiveAsync(Cancelled).AsTask());
        await app.StartAsync(Cancelled);
        var address = $"ws{app.Urls.Single()[4..]}";
        await using (await WebSocketClient.ConnectAsync(new Uri(address), cancellationToken: Cancelled))
            await recording.UntilTracedAsync("websocket connect");
        foreach (var (refusing, error) in new[] { ($"{address}/nowhere", "404"), ("ws://127.0.0.1:1/", "ConnectionError") })
        {
            await FluentActions.Awaiting(() => WebSocketClient.ConnectAsync(new Uri(refusing), cancellationToken: Cancelled)).Should().ThrowAsync<WebSocketConnectException>();
            await recording.UntilTracedAsync("websocket connect", error);
        }
    }

    private static (WebSocketConnection Connection, IDuplexPipe Peer) Served()
    {
        var (toServer, toPeer) = (new Pipe(), new Pipe());
        return (WebSocketConnection.Create(new Ends(toServer.Reader, toPeer.Writer), new WebSocketConnectionOptions()), new Ends(toPeer.Reader, toServer.Writer));
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
