using Microsoft.Extensions.Diagnostics.HealthChecks;
using RealtimeKit.Redis;
using RealtimeKit.Redis.Tests;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        await using var redis = await RedisServer.StartAsync();
        Site.UseForSnippets("localhost:6379", redis.ConnectionString);
        await using var one = await StartAsync();
        await using var other = await StartAsync();

        string? last;
        await using (var stream = await EventReader.OpenAsync(one.Uri("/live?topic=scores")))
        {
            await other.Services.GetRequiredService<ITopicPublisher>().PublishAsync("scores", "first", cancellationToken: cancel);
            var item = await stream.ReadAsync("scores");
            item.Data.Should().Be("first");
            last = item.EventId;
        }

        // "a client that loses its connection goes on at any node, with nothing but its cursor"
        await one.Services.GetRequiredService<ITopicPublisher>().PublishAsync("scores", "second", cancellationToken: cancel);
        await using var again = await EventReader.OpenAsync(other.Uri("/live?topic=scores"), last);
        (await again.ReadAsync("scores")).Data.Should().Be("second");
        (await one.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(cancel)).Status.Should().Be(HealthStatus.Healthy);
    }

    private static Task<Site> StartAsync() => Site.StartAsync(app => app.MapTopics("/live"), builder =>
    {
/*SNIPPET*/
    });
}
