using System.Collections.Concurrent;
using System.Text;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis.Tests.Cluster;

public sealed class ClusterTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_ACommand_ReachesEveryNodeOfTheApplicationOnce()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Nodes.Create(server);
        await using var two = Nodes.Create(server);
        await using var stranger = Nodes.Create(server, static options => options.KeyPrefix = "stranger");
        var received = new ConcurrentQueue<string>();
        foreach (var (engine, name) in ((RedisTopicEngine, string)[])[(one, "one"), (two, "two"), (stranger, "stranger")])
        {
            engine.Cluster.OnCommand(command =>
            {
                received.Enqueue($"{name} {Encoding.UTF8.GetString(command.Span)}");
                throw new InvalidOperationException("dropped");
            });
        }

        await Eventually.TrueAsync(async () => await server.ExecuteAsync("PUBSUB SHARDCHANNELS") == "*2");
        await server.ListenersAsync("test:nodes", 2);

        // Redis counts a node before that can take commands; one that sends waits until it can.
        await one.Cluster.SendAsync("first"u8.ToArray(), Token);
        await two.Cluster.SendAsync("first"u8.ToArray(), Token);
        await one.Cluster.SendAsync("a"u8.ToArray(), Token);
        await two.Cluster.SendAsync("b"u8.ToArray(), Token);

        string[] Received() => [.. received.Where(static command => !command.EndsWith("first", StringComparison.Ordinal))];
        await Eventually.TrueAsync(() => Received().Length == 4);
        Received().Should().BeEquivalentTo("one a", "one b", "two a", "two b");
        one.Cluster.NodeId.Should().HaveLength(32).And.NotBe(two.Cluster.NodeId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_OverAConnectionOfTheApplications_LeavesNoSubscriptionBehind(bool beginsWhileRedisIsAway)
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(RedisTopicOptions.CreateConfiguration(server.ConnectionString));
        await using (var engine = Nodes.Create(server, options => options.ConnectionFactory = () => Task.FromResult<IConnectionMultiplexer>(redis)))
        {
            await engine.GetPositionAsync("topic", Token);
            if (beginsWhileRedisIsAway)
            {
                await server.KillAsync();
                await Eventually.TrueAsync(() => !engine.Connection.IsConnected);
            }

            var received = new ConcurrentQueue<string>();
            engine.Cluster.OnCommand(command =>
            {
                received.Enqueue(Encoding.UTF8.GetString(command.Span));
                return default;
            });
            if (beginsWhileRedisIsAway)
            {
                // It tries, in vain, more than once.
                await Task.Delay(1000, Token);
                await server.StartProcessAsync();
            }

            await server.ListenersAsync("test:nodes", 1);
            await Eventually.TrueAsync(async () =>
            {
                await server.ExecuteAsync("SPUBLISH test:nodes a");
                return !received.IsEmpty;
            });
        }

        (await server.ExecuteAsync("PUBSUB SHARDCHANNELS")).Should().Be("*0");
    }

    [Fact]
    public async Task Send_AfterTheConnectionWasLost_ReachesNodesAgain()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Nodes.Create(server);
        await using var two = Nodes.Create(server);
        var received = new ConcurrentQueue<string>();
        two.Cluster.OnCommand(command =>
        {
            received.Enqueue(Encoding.UTF8.GetString(command.Span));
            return default;
        });
        await server.ListenersAsync("test:nodes", 1);

        await server.KillAsync();
        await server.StartProcessAsync();
        await server.ListenersAsync("test:nodes", 1);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await one.Cluster.SendAsync("again"u8.ToArray(), Token);
                return true;
            }
            catch (TopicEngineException)
            {
                return false;
            }
        });

        await Eventually.TrueAsync(() => received.Contains("again"));
    }

    [Fact]
    public async Task Members_SetOnOneNode_AreListedRenewedAndRemovedOnAnother()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Nodes.Create(server);
        await using var two = Nodes.Create(server);
        var lifetime = TimeSpan.FromMinutes(1);
        TopicClusterEntry[] entries =
        [
            new("users/ä{}", "a", "1"u8.ToArray()), new("users/ä{}", "b", ReadOnlyMemory<byte>.Empty), new("other", "a", "3"u8.ToArray()),
        ];

        await one.Cluster.SetAsync(entries, lifetime, Token);
        await two.Cluster.SetAsync(new TopicClusterEntry[] { new("users/ä{}", "a", new byte[] { 0, 255 }) }, lifetime, Token);

        (await ListAsync(two, "users/ä{}")).Should().BeEquivalentTo("a=00FF", "b=");
        (await ListAsync(one, "other")).Should().BeEquivalentTo("a=33");
        (await ListAsync(one, "nothing")).Should().BeEmpty();
        (await two.Cluster.RemoveAsync("users/ä{}", "a", Token)).Should().BeTrue();
        (await one.Cluster.RemoveAsync("users/ä{}", "a", Token)).Should().BeFalse();
        (await ListAsync(one, "users/ä{}")).Should().BeEquivalentTo("b=");
    }

    [Fact]
    public async Task Members_NotRenewed_Expire()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        await engine.Cluster.SetAsync(new TopicClusterEntry[] { new("set", "short", default) }, TimeSpan.FromMilliseconds(200), Token);
        await engine.Cluster.SetAsync(new TopicClusterEntry[] { new("set", "long", default) }, TimeSpan.FromMinutes(1), Token);
        await engine.Cluster.SetAsync(new TopicClusterEntry[] { new("gone", "short", default) }, TimeSpan.FromMilliseconds(200), Token);

        await Eventually.TrueAsync(async () => (await ListAsync(engine, "set")).Count == 1);
        (await ListAsync(engine, "set")).Should().BeEquivalentTo("long=");
        await Eventually.TrueAsync(async () => await server.ExecuteAsync("EXISTS test:{gone}:members test:{gone}:members:at") == ":0");
        (await engine.Cluster.RemoveAsync("set", "short", Token)).Should().BeFalse();
    }

    [Fact]
    public async Task Members_Thousands_AreSetAndListed()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server);
        var entries = Enumerable.Range(0, 3000).Select(static i => new TopicClusterEntry("set", $"m{i}", new byte[10])).ToArray();

        await engine.Cluster.SetAsync(entries, TimeSpan.FromMinutes(1), Token);

        (await ListAsync(engine, "set")).Should().HaveCount(3000);
    }

    private static async Task<IReadOnlyList<string>> ListAsync(RedisTopicEngine engine, string set) =>
        [.. (await engine.Cluster.ListAsync(set, Token)).Select(entry => $"{entry.Member}={Convert.ToHexString(entry.Value.Span)}")];
}
