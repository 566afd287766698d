using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Hosting;

public sealed class HostingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddRedis_TwoApplications_PublishToEachOther()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = Application(server);
        await using var two = Application(server);
        var hub = two.GetRequiredService<TopicHub>();
        hub.Engine.Should().BeOfType<RedisTopicEngine>().And.BeSameAs(two.GetRequiredService<RedisTopicEngine>());
        var cursor = await hub.GetCursorAsync(["scores"], Token);

        await one.GetRequiredService<ITopicPublisher>().PublishAsync("scores", "3:1", cancellationToken: Token);

        await foreach (var item in hub.ReadAllAsync(["scores"], cursor, cancellationToken: Token))
        {
            if (item.Kind != TopicItemKind.Entry)
                continue;
            item.Entry.Payload.ToArray().Should().Equal("3:1"u8.ToArray());
            break;
        }
    }

    [Fact]
    public void AddRedis_ConnectionStringThatCannotBeRead_IsNotShown()
    {
        var add = () => new ServiceCollection().AddTopics().AddRedis("localhost,connectRetry=hunter2,password=hunter2");

        add.Should().Throw<ArgumentException>().Which.ToString().Should().NotContain("hunter2");
    }

    [Fact]
    public async Task Engine_WrongPassword_IsNeitherInExceptionsNorInLogs()
    {
        await using var server = await RedisServer.StartAsync();
        (await server.ExecuteAsync("CONFIG SET requirepass swordfish")).Should().Be("+OK");
        var logs = new Logs();
        await using var services = Application(server, ",password=hunter2", logs);
        var engine = services.GetRequiredService<RedisTopicEngine>();

        var failure = await FluentActions.Awaiting(() => engine.PublishAsync("topic", "x").AsTask()).Should().ThrowAsync<TopicEngineException>();
        var health = await CheckAsync(services);

        failure.Which.ToString().Should().NotContain("hunter2");
        health.Status.Should().Be(HealthStatus.Unhealthy);
        $"{health.Description} {health.Exception}".Should().NotContain("hunter2");
        string.Join('\n', logs.Messages).Should().NotContain("hunter2");
    }

    [Fact]
    public async Task Engine_ServerWithPasswordAndUser_MayDoWithTheRightsThatTheDocsName()
    {
        await using var server = await RedisServer.StartAsync();
        (await server.ExecuteAsync("ACL SETUSER topics on >swordfish resetkeys resetchannels ~shop:* &shop:* -@all " + DocumentedRights()))
            .Should().Be("+OK");
        await using var services = Application(server, ",user=topics,password=swordfish");
        var engine = services.GetRequiredService<RedisTopicEngine>();

        await using var reader = await Reader.StartAsync(engine, "topic");
        await engine.PublishAsync("topic", "a", "producer", 1);
        await reader.UntilAsync(await engine.PublishAsync("topic", new string('b', 100_000)));
        await using var late = await Reader.StartAsync(engine, "topic", reader.Start);
        await late.UntilAsync(reader.Position);
        await engine.Cluster.SendAsync("x"u8.ToArray(), Token);
        await engine.Cluster.SetAsync(new TopicClusterEntry[] { new("set", "a", default) }, TimeSpan.FromSeconds(10), Token);
        (await engine.Cluster.ListAsync("set", Token)).Should().ContainSingle();
        (await engine.Cluster.RemoveAsync("set", "a", Token)).Should().BeTrue();
        await server.ExecuteAsync("DEL shop:{topic}:state");
        await reader.UntilAsync(await engine.PublishAsync("topic", "c"));

        (await CheckAsync(services)).Status.Should().Be(HealthStatus.Healthy);
        reader.Entries.Should().HaveCount(3);
    }

    [Fact]
    public async Task HealthCheck_RedisGoneAndBack_SaysSo()
    {
        await using var server = await RedisServer.StartAsync();
        await using var services = Application(server);
        (await CheckAsync(services)).Status.Should().Be(HealthStatus.Healthy);

        await server.KillAsync();
        await Eventually.TrueAsync(async () => (await CheckAsync(services)).Status == HealthStatus.Unhealthy);
        await server.StartProcessAsync();
        await Eventually.TrueAsync(async () => (await CheckAsync(services)).Status == HealthStatus.Healthy);
    }

    [Fact]
    public async Task Meter_WhilePublishing_CountsWhatHappened()
    {
        await using var server = await RedisServer.StartAsync();
        var totals = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "RealtimeKit.Redis")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => totals.AddOrUpdate(instrument.Name, 1, static (_, count) => count + 1));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => totals.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
        listener.Start();
        await using var engine = Nodes.Create(server);
        await using var reader = await Reader.StartAsync(engine, "topic");

        await engine.PublishAsync("topic", "small");
        await reader.UntilAsync(await engine.PublishAsync("topic", new string('x', 100_000)));
        await server.ExecuteAsync("FLUSHALL");
        await reader.UntilAsync(await engine.PublishAsync("topic", "after"));
        await Eventually.TrueAsync(() => totals.GetValueOrDefault("realtimekit.redis.notices") >= 3);   // an entry may be read before its notice comes

        // Other tests run at the same time.
        totals["realtimekit.redis.publish.duration"].Should().BeGreaterThanOrEqualTo(3);
        totals["realtimekit.redis.entries_read"].Should().BeGreaterThanOrEqualTo(1);
        totals["realtimekit.redis.epochs"].Should().BeGreaterThanOrEqualTo(1);
    }

    [Fact]
    public async Task ConnectionFactory_ThatFailsFirst_IsAskedAgainAndItsConnectionStaysItsOwners()
    {
        await using var server = await RedisServer.StartAsync();
        await using var connection = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var calls = 0;
        await using (var engine = Nodes.Create(server, options => options.ConnectionFactory = () => ++calls == 1
            ? throw new StackExchange.Redis.RedisException("not yet")
            : Task.FromResult<StackExchange.Redis.IConnectionMultiplexer>(connection)))
        {
            await FluentActions.Awaiting(() => engine.PublishAsync("topic", "x").AsTask()).Should().ThrowAsync<TopicEngineException>();
            await using var reader = await Reader.StartAsync(engine, "topic");
            await reader.UntilAsync(await engine.PublishAsync("topic", "y"));
        }

        calls.Should().Be(2);
        connection.IsConnected.Should().BeTrue();
        await connection.GetDatabase().PingAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a{b")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void KeyPrefix_ThatCouldReachOtherKeys_IsRefused(string prefix)
    {
        var set = () => new RedisTopicOptions { KeyPrefix = prefix };

        set.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void KeyPrefix_Default_IsTheApplicationsOwn() => new RedisTopicOptions().KeyPrefix.Should().Be("RealtimeKit.Redis.Tests");

    [Fact]
    public async Task Engine_WithAChannelPrefix_SaysWhatToUse()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Nodes.Create(server, static options => options.Configuration.ChannelPrefix = StackExchange.Redis.RedisChannel.Literal("x"));

        (await FluentActions.Awaiting(() => engine.PublishAsync("topic", "x").AsTask()).Should().ThrowAsync<InvalidOperationException>())
            .WithMessage("*KeyPrefix*");
    }

    /// <summary>The rights in docs/redis.md, so that they are what is tested.</summary>
    private static string DocumentedRights()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "RealtimeKit.sln")))
            folder = Path.GetDirectoryName(folder)!;
        var line = File.ReadLines(Path.Combine(folder, "docs", "redis.md")).Single(static line => line.StartsWith("ACL SETUSER", StringComparison.Ordinal));
        return line[(line.IndexOf("-@all", StringComparison.Ordinal) + 5)..].Trim();
    }

    private static ServiceProvider Application(RedisServer server, string more = "", Logs? logs = null)
    {
        var services = new ServiceCollection();
        if (logs is not null)
            services.AddSingleton<ILogger<RedisTopicEngine>>(logs);
        services.AddTopics().AddRedis(server.ConnectionString + more, static options => options.KeyPrefix = "shop");
        services.AddSingleton<RedisTopicHealthCheck>();
        return services.BuildServiceProvider();
    }

    private static Task<HealthCheckResult> CheckAsync(IServiceProvider services)
    {
        var check = services.GetRequiredService<RedisTopicHealthCheck>();
        return check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("redis", check, null, null) }, Token);
    }

    private sealed class Logs : ILogger<RedisTopicEngine>
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
