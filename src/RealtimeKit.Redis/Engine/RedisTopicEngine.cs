using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>
/// Keeps topics in Redis 7 or later: a stream for each, numbered by one script for each publication, and announced to the nodes that have
/// subscribers. What "acknowledged" is worth is up to how Redis persists: see <c>docs/redis.md</c>. Safe from any thread.
/// </summary>
public sealed partial class RedisTopicEngine : ITopicEngine
{
    private readonly RedisTopicOptions _options;
    private readonly TopicsOptions _topics;
    private readonly ILogger _logger;
    private readonly RedisConnection _connection;
    private readonly RedisKeys _keys;
    private readonly RedisTopicCache _cache;
    private readonly RedisTopicMetrics _metrics;
    private readonly RedisTopicCluster _cluster;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sweeping;
    private int _isDisposed;

    /// <summary>Makes an engine. It connects when it is first needed.</summary>
    /// <param name="options">Where Redis is; not to be changed afterwards.</param>
    /// <param name="topics">What holds for the topics; the defaults where <see langword="null"/>.</param>
    /// <param name="logger">Where failures go; nowhere where <see langword="null"/>.</param>
    /// <param name="meterFactory">Makes the meter <c>RealtimeKit.Redis</c>; <see langword="null"/> for one of its own.</param>
    public RedisTopicEngine(
        RedisTopicOptions options, TopicsOptions? topics = null, ILogger<RedisTopicEngine>? logger = null, IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _topics = topics ?? new TopicsOptions();
        _logger = logger ?? NullLogger<RedisTopicEngine>.Instance;
        _keys = new RedisKeys(options.KeyPrefix);
        _cache = new RedisTopicCache(_keys, _topics);
        _connection = new RedisConnection(options, _logger);
        _metrics = new RedisTopicMetrics(meterFactory, this);
        _cluster = new RedisTopicCluster(_connection, _keys, _stopping.Token);
        _connection.Lost += DoubtAll;
        _connection.Restored += OnRestored;
        _sweeping = SweepAsync(_stopping.Token);
    }

    /// <inheritdoc/>
    public ITopicCluster Cluster => _cluster;

    internal RedisConnection Connection => _connection;

    /// <inheritdoc/>
    public async ValueTask<TopicPosition> GetPositionAsync(string topic, CancellationToken cancellationToken)
    {
        TopicEngineNames.ThrowIfInvalid(topic);
        var (position, _) = await GetPositionAsync(_cache.Get(topic), distrusted: null, cancellationToken).ConfigureAwait(false);
        return position;
    }

    /// <summary>Lets go of everything: subscriptions in Redis, and the connection if the engine has made it. What it holds in Redis stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        _connection.Lost -= DoubtAll;
        _connection.Restored -= OnRestored;
        await _sweeping.ConfigureAwait(false);
        await DetachAllAsync().ConfigureAwait(false);
        await _cluster.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
    }

    /// <summary>Compares a topic with what this node has seen of it; begins an epoch where it has none or can't be trusted.</summary>
    internal async Task<(TopicPosition Position, ulong Tag)> GetPositionAsync(RedisTopic topic, ulong? distrusted, CancellationToken cancellationToken)
    {
        var arguments = new RedisValue[9];
        topic.WriteArguments(arguments);
        arguments[8] = distrusted is { } epoch ? (long)epoch : RedisValue.EmptyString;
        var result = await _connection.EvaluateAsync(RedisScripts.Position, [topic.Log, topic.State], arguments, cancellationToken).ConfigureAwait(false);
        var position = new TopicPosition((ulong)result[0], (ulong)result[1]);
        var tag = EntryMetadata.ReadTag((byte[]?)result[2]);
        topic.See(position, tag);
        return (position, tag);
    }
}
