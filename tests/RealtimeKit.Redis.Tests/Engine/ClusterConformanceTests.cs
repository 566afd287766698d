using RealtimeKit.Topics;
using RealtimeKit.Topics.Tests;

namespace RealtimeKit.Redis.Tests.Engine;

/// <summary>The same promises on a Redis Cluster, where topics are spread over servers.</summary>
public sealed class ClusterConformanceTests : TopicEngineConformance, IAsyncDisposable
{
    private RedisCluster? _cluster;

    protected override async ValueTask<ITopicEngine> CreateAsync(TopicsOptions options)
    {
        _cluster ??= await RedisCluster.StartAsync();   // a test may make several engines
        return new RedisTopicEngine(
            new RedisTopicOptions { Configuration = RedisTopicOptions.CreateConfiguration(_cluster.ConnectionString) }, options);
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}
