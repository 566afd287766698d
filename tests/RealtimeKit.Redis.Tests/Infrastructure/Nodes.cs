using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests;

/// <summary>Makes engines, each one as good as a machine of its own.</summary>
internal static class Nodes
{
    /// <summary>More than is published: a reader that the machine holds up must not be told of a gap.</summary>
    public static void LongHistory(TopicsOptions topics) => topics.Default.HistoryCount = 100_000;

    public static RedisTopicEngine Create(RedisServer server, Action<RedisTopicOptions>? configure = null, Action<TopicsOptions>? topics = null)
    {
        var options = new RedisTopicOptions
        {
            Configuration = RedisTopicOptions.CreateConfiguration(server.ConnectionString),
            KeyPrefix = "test",
            SweepInterval = TimeSpan.FromMinutes(10),   // tests of the sweep say so
        };
        configure?.Invoke(options);
        var topicsOptions = new TopicsOptions();
        topics?.Invoke(topicsOptions);
        return new RedisTopicEngine(options, topicsOptions);
    }

    public static ValueTask<TopicPosition> PublishAsync(this RedisTopicEngine engine, string topic, string payload, string? producer = null, ulong sequence = 0) =>
        engine.PublishAsync(
            new TopicPublication(topic, System.Text.Encoding.UTF8.GetBytes(payload)) { ProducerId = producer, Sequence = sequence },
            TestContext.Current.CancellationToken);
}
