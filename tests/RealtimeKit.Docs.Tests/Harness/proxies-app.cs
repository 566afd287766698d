using System.Net.WebSockets;

static class Check
{
    // As a proxy on this machine says it: the page came over TLS.
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", $"https://127.0.0.1:{site.Address.Port}");
        socket.Options.SetRequestHeader("X-Forwarded-Proto", "https");
        await socket.ConnectAsync(site.Ws("/echo"), cancel);
        socket.State.Should().Be(WebSocketState.Open);
    }
}
