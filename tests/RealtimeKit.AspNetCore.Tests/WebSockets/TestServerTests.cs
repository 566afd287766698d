using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Hosts that cannot upgrade and offer a WebSocket of their own.</summary>
public class TestServerTests
{
    [Fact(Timeout = Until.Bound)]
    public async Task Echo_OverTestServer_RunsOnItsSocket()
    {
        await using var app = await StartAsync();
        var client = app.GetTestServer().CreateWebSocketClient();
        client.SubProtocols.Add("chat");
        using var socket = await client.ConnectAsync(new Uri("ws://localhost/ws"), Until.Cancelled);
        socket.SubProtocol.Should().Be("chat");
        foreach (var size in (int[])[0, 5, 125, 4000, 100_000])
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            await socket.SendAsync(payload, WebSocketMessageType.Binary, true, Until.Cancelled);
            (await socket.ReceiveMessageAsync()).Payload.Should().Equal(payload);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", Until.Cancelled);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Stop_OverTestServer_SaysGoodbye()
    {
        await using var app = await StartAsync();
        using var socket = await app.GetTestServer().CreateWebSocketClient().ConnectAsync(new Uri("ws://localhost/ws"), Until.Cancelled);
        var stop = app.StopAsync(Until.Cancelled);
        (await socket.ReceiveMessageAsync()).Type.Should().Be(WebSocketMessageType.Close);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.EndpointUnavailable);
        await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, Until.Cancelled);
        await stop;
    }

    private static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapWebSocket("/ws", new WebSocketEndpointOptions { SubProtocols = ["chat"] }, Handlers.EchoAsync);
        await app.StartAsync(Until.Cancelled);
        return app;
    }
}
