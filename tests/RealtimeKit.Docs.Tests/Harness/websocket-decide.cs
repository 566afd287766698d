using System.Net;
using RealtimeKit.AspNetCore;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var games = new Games();
        await using var site = await Site.StartAsync(app =>
        {
/*SNIPPET*/
        });
        var connect = () => WebSocketClient.ConnectAsync(site.Ws("/games/none"), null, cancel);
        (await connect.Should().ThrowAsync<WebSocketConnectException>()).Which.StatusCode.Should().Be(HttpStatusCode.NotFound);
        await using var socket = await WebSocketClient.ConnectAsync(site.Ws("/games/chess"), new WebSocketClientOptions { SubProtocols = ["other", "game.v2"] }, cancel);
        socket.SubProtocol.Should().Be("game.v2");
        (await socket.ReceiveAsync(cancel)).Type.Should().Be(System.Net.WebSockets.WebSocketMessageType.Close);
        socket.CloseResult!.Value.Code.Should().Be(4409);
        socket.CloseResult!.Value.Reason.Should().Be("This game is full.");
    }

    private sealed class Games
    {
        public bool IsFull => true;

        public Task<bool> ExistsAsync(object? game) => Task.FromResult(Equals(game, "chess"));
    }
}
