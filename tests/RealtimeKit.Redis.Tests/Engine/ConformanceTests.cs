using RealtimeKit.Topics;
using RealtimeKit.Topics.Tests;

namespace RealtimeKit.Redis.Tests.Engine;

public sealed class ConformanceTests : TopicEngineConformance, IAsyncDisposable
{
    private RedisServer? _server;

    protected override async ValueTask<ITopicEngine> CreateAsync(TopicsOptions options)
    {
        _server ??= await RedisServer.StartAsync();   // a test may make several engines
        return new RedisTopicEngine(
            new RedisTopicOptions { Configuration = RedisTopicOptions.CreateConfiguration(_server.ConnectionString) }, options);
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
