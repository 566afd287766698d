using System.Net.WebSockets;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var connections = 0;
        await using var site = await Site.StartAsync(app => app.MapWebSocket("/chat", async (connection, http) =>
        {
            var number = Interlocked.Increment(ref connections);
            var first = (await connection.ReceiveAsync(cancel)).GetText();
            await connection.SendAsync($"{number}: {first} as {http.Request.Headers.Authorization}", cancel);
            await connection.CloseAsync(number == 1 ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure, null, cancel);
        }));
        var (uri, tokens, heard) = (site.Ws("/chat"), new Tokens(), new List<string>());
        void Handle(string text) => heard.Add(text);
/*SNIPPET*/
        heard.Should().Equal("1: subscribe as Bearer token", "2: subscribe as Bearer token");
    }

    private sealed class Tokens
    {
        public Task<string> GetAsync(CancellationToken cancel) => Task.FromResult("token");
    }
}
