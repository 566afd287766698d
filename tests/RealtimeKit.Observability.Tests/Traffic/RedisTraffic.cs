using System.Text;
using RealtimeKit.Redis;
using RealtimeKit.Redis.Tests;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Observability.Tests;

/// <summary>Does with topics in Redis whatever is measured.</summary>
internal static class RedisTraffic
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task RunAsync(Recording recording)
    {
        await using var server = await RedisServer.StartAsync();
        var configuration = ConfigurationOptions.Parse(server.ConnectionString);
        configuration.AbortOnConnectFail = false;
        await using var engine = new RedisTopicEngine(new RedisTopicOptions { Configuration = configuration, KeyPrefix = "test" }, new TopicsOptions());
        var log = await engine.AttachAsync("topic", Cancelled);

        var channel = RedisChannel.Sharded("test:{topic}:new");
        await using var connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        var notices = await connection.GetSubscriber().SubscribeAsync(channel);
        await PublishAsync("small");
        await recording.UntilAsync("realtimekit.redis.notices", "appended");
        await notices.ReadAsync(Cancelled);

        // What is too large for a notice is read. Notices that come once more, and later, tell what is known.
        await PublishAsync(new string('x', 20_000));
        await recording.UntilAsync("realtimekit.redis.notices", "read");
        var again = await notices.ReadAsync(Cancelled);
        await recording.UntilAsync("realtimekit.redis.notices", "known", () => connection.GetSubscriber().Publish(channel, again.Message));
        await recording.UntilAsync("realtimekit.redis.entries_read");
        await server.ExecuteAsync("FLUSHALL");
        await PublishAsync("after");
        await recording.UntilAsync("realtimekit.redis.epochs");
        recording.Observe();

        await server.KillAsync();
        await FluentActions.Awaiting(() => PublishAsync("lost")).Should().ThrowAsync<TopicEngineException>();
        await recording.UntilAsync("realtimekit.redis.publish.duration", "TopicEngineException");
        await engine.DetachAsync(log);

        Task PublishAsync(string payload) => engine.PublishAsync(new TopicPublication("topic", Encoding.UTF8.GetBytes(payload)), Cancelled).AsTask();
    }
}
