using System.Net.WebSockets;

static class Check
{
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(site.Ws("/echo"), cancel);
        var message = new byte[10_000];
        Random.Shared.NextBytes(message);
        await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancel);
        var (buffer, length) = (new byte[20_000], 0);
        ValueWebSocketReceiveResult result;
        do
        {
            result = await socket.ReceiveAsync(buffer.AsMemory(length), cancel);
            length += result.Count;
        }
        while (!result.EndOfMessage);
        (result.MessageType, length).Should().Be((WebSocketMessageType.Binary, message.Length));
        buffer.AsSpan(0, length).SequenceEqual(message).Should().BeTrue();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancel);
        socket.CloseStatus.Should().Be(WebSocketCloseStatus.NormalClosure);
    }
}
