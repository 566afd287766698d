using System.Net;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(app => app.MapTopics("/live"), Build);
        var options = site.Services.GetRequiredService<TopicHub>().Options;
        options.Resolve("scores/42").HistoryCount.Should().Be(500);
        options.Resolve("prices/x").SlowConsumers.Should().Be(SlowConsumerPolicy.Conflate);
        await using var refused = await EventReader.OpenAsync(site.Uri("/live?topic=users/ann"));
        refused.Response.StatusCode.Should().Be(HttpStatusCode.Forbidden);
    }

    private static void Build(WebApplicationBuilder builder)
    {
/*SNIPPET*/
    }
}
