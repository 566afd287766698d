using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(string snippet, CancellationToken cancel)
    {
        await using var site = await Programs.StartAsync("readme-topics");
        await using var page = Browser.Open(site, snippet + "source.addEventListener('stream', () => console.log('open'), { once: true });", lines: 4);
        (await page.ReadAsync()).Should().Be("open");
        (await site.Http.PostAsync(site.Uri("/goals/Alpha"), null, cancel)).EnsureSuccessStatusCode();
        (await page.ReadAsync()).Should().Be("Goal for Alpha!");

        // The page is cut off, and misses more than the topic keeps.
        var hub = site.Services.GetRequiredService<TopicHub>();
        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ByTopic("scores"), cancellationToken: cancel);

        // Until it has gone it would be sent what it is to miss; it comes back after three seconds.
        await Until.TrueAsync(() => hub.Connections.ListAsync(TopicConnectionSelector.ByTopic("scores")).AsTask().Result.Count == 0);
        for (var i = 0; i < 1001; i++)
            await hub.PublishAsync("scores", $"{i}", cancellationToken: cancel);
        (await page.ReadAsync()).Should().StartWith("missed some: {\"topic\":\"scores\"");
        (await page.ReadAsync()).Should().Be("1");
        await page.ExitAsync();
    }
}
