using RealtimeKit.Redis.Tests;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var redis = await RedisServer.StartAsync();
        Site.UseForSnippets("localhost:6379", redis.ConnectionString);
        await using var one = await Site.StartAsync(app => app.MapTopics("/live"), Build);
        await using var other = await Site.StartAsync(app => app.MapTopics("/live"), Build);
        await using var stream = await EventReader.OpenAsync(one.Uri("/live?topic=scores/1"));
        await other.Services.GetRequiredService<ITopicPublisher>().PublishAsync("scores/1", "2:1", cancellationToken: cancel);
        (await stream.ReadAsync("scores/1")).Data.Should().Be("2:1");
        (await redis.ExecuteAsync("EXISTS shop:{scores/1}:log")).Should().Be(":1");
    }

    private static void Build(WebApplicationBuilder builder)
    {
/*SNIPPET*/
    }
}
