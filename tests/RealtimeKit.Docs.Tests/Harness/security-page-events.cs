using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(string snippet, CancellationToken cancel)
    {
        await using var site = await TicketSite.StartAsync();
        var hub = site.Services.GetRequiredService<TopicHub>();
        var before = await hub.GetCursorAsync(["a"], cancel);
        await hub.PublishAsync("a", "1", cancellationToken: cancel);

        // The page begins before the first message, and is cut off after it: the second comes over a new stream with a new ticket.
        const string Ticket = """
            async function ticket(endpoint) {
              const response = await fetch('/tickets', { method: 'POST', body: JSON.stringify({ endpoint }),
                headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ann' } });
              return (await response.json()).ticket;
            }
            """;
        await using var page = Browser.Open(site, $"{Ticket}\n{snippet.Replace("await open();", $"await open('{before}');")}", lines: 2);
        (await page.ReadAsync()).Should().Be("1");
        await hub.Connections.DisconnectAsync(TopicConnectionSelector.ByTopic("a"), cancellationToken: cancel);
        await hub.PublishAsync("a", "2", cancellationToken: cancel);
        (await page.ReadAsync()).Should().Be("2");
        await page.ExitAsync();
    }
}
