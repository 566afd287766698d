using System.Net;
using System.Net.WebSockets;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var port = LoopbackPorts.Next();
        Site.UseForSnippets("127.0.0.1:5080", $"127.0.0.1:{port}");
        using var stopping = new CancellationTokenSource();
        await using var hub = new TopicHub();
        var running = ServeAsync(hub, stopping.Token);

        await using (var socket = await WebSocketClient.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/echo"), null, cancel))
        {
            await socket.SendAsync("hello", cancel);
            (await socket.ReceiveAsync(cancel)).GetText().Should().Be("hello");
        }

        await using (var ticks = await EventReader.OpenAsync(new Uri($"http://127.0.0.1:{port}/ticks")))
            (await ticks.ReadAsync()).EventId.Should().Be("1");
        await using (var live = await EventReader.OpenAsync(new Uri($"http://127.0.0.1:{port}/live?topic=scores")))
        {
            using var http = new HttpClient();
            (await http.PostAsync(new Uri($"http://127.0.0.1:{port}/goals"), null, cancel)).StatusCode.Should().Be(HttpStatusCode.NoContent);
            (await live.ReadAsync("scores")).Data.Should().Be("Goal!");
        }

        await stopping.CancelAsync();
        await running;
    }

    private static async Task ServeAsync(TopicHub hub, CancellationToken stop)
    {
/*SNIPPET*/
    }
}
