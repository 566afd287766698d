using RealtimeKit.Topics;

namespace RealtimeKit.Redis;

/// <summary>
/// What this node knows of topics, those used last: two generations of up to 8,192 each. What is forgotten is only that a stream went back
/// which this node neither subscribes to nor has published to for long.
/// </summary>
internal sealed class RedisTopicCache(RedisKeys keys, TopicsOptions options)
{
    private const int GenerationSize = 8192;
    private readonly Lock _lock = new();
    private Dictionary<string, RedisTopic> _young = new(StringComparer.Ordinal);
    private Dictionary<string, RedisTopic> _old = new(StringComparer.Ordinal);

    public RedisTopic Get(string name)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(name, out var topic))
                return topic;
            if (!_old.TryGetValue(name, out topic))
                topic = new RedisTopic(name, keys, options.Resolve(name), options);
            if (_young.Count == GenerationSize)
                (_old, _young) = (_young, new Dictionary<string, RedisTopic>(StringComparer.Ordinal));
            _young.Add(name, topic);
            return topic;
        }
    }
}
