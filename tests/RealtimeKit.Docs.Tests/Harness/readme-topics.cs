using System.Net.WebSockets;
using System.Text;

static class Check
{
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        string? last;
        await using (var stream = await EventReader.OpenAsync(site.Uri("/live?topic=scores")))
        {
            (await site.Http.PostAsync(site.Uri("/goals/Alpha"), null, cancel)).EnsureSuccessStatusCode();
            var item = await stream.ReadAsync("scores");
            item.Data.Should().Be("Goal for Alpha!");
            last = item.EventId;
        }

        (await site.Http.PostAsync(site.Uri("/goals/Beta"), null, cancel)).EnsureSuccessStatusCode();
        (await site.Http.PostAsync(site.Uri("/goals/Gamma"), null, cancel)).EnsureSuccessStatusCode();
        await using var again = await EventReader.OpenAsync(site.Uri("/live?topic=scores"), last);
        (await again.ReadAsync("scores")).Data.Should().Be("Goal for Beta!", "the client goes on where it stopped");
        (await again.ReadAsync("scores")).Data.Should().Be("Goal for Gamma!");

        // "new WebSocket('wss://…/live?topic=scores') gets the same"
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(site.Ws("/live?topic=scores"), cancel);
        (await site.Http.PostAsync(site.Uri("/goals/Delta"), null, cancel)).EnsureSuccessStatusCode();
        var buffer = new byte[100];
        var result = await socket.ReceiveAsync(buffer, cancel);
        Encoding.UTF8.GetString(buffer, 0, result.Count).Should().Be("Goal for Delta!");
    }
}
