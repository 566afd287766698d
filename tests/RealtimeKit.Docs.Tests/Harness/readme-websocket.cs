using System.Net.WebSockets;
using System.Text;

static class Check
{
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(site.Ws("/echo"), cancel);
        await socket.SendAsync("hällo"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, cancel);
        var buffer = new byte[100];
        var result = await socket.ReceiveAsync(buffer, cancel);
        result.MessageType.Should().Be(WebSocketMessageType.Text);
        Encoding.UTF8.GetString(buffer, 0, result.Count).Should().Be("hällo");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);

        // "pages of other origins are refused"
        using var stranger = new ClientWebSocket();
        stranger.Options.SetRequestHeader("Origin", "https://elsewhere.example");
        stranger.Options.CollectHttpResponseDetails = true;
        var connect = () => stranger.ConnectAsync(site.Ws("/echo"), cancel);
        await connect.Should().ThrowAsync<WebSocketException>();
        stranger.HttpStatusCode.Should().Be(System.Net.HttpStatusCode.Forbidden);
    }
}
