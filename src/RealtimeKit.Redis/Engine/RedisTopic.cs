using System.Globalization;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

/// <summary>What a node knows of a topic: the names of its keys, the newest entry that it has seen, and how large entries are.</summary>
internal sealed class RedisTopic(string name, RedisKeys keys, TopicOptions options, TopicsOptions topics)
{
    /// <summary>What a page may have in bytes, about: the reply is held in memory at once.</summary>
    private const int PageBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly RedisValue[] _bounds =
    [
        keys.Channel(name),
        options.HistoryBytes,
        options.HistoryAge == Timeout.InfiniteTimeSpan ? -1 : Milliseconds(options.HistoryAge),
        options.HistoryAge == Timeout.InfiniteTimeSpan ? -1 : Milliseconds(options.HistoryAge) + Milliseconds(topics.IdleTopicLifetime),
        Milliseconds(topics.IdleTopicLifetime),
    ];

    private TopicPosition _seen;
    private ulong _seenTag;
    private int _entrySize = 1024;

    public string Name => name;

    public TopicOptions Options => options;

    public RedisKey Log { get; } = keys.Log(name);

    public RedisKey State { get; } = keys.State(name);

    public RedisKey Producers { get; } = keys.Producers(name);

    public RedisKey ProducerTimes { get; } = keys.ProducerTimes(name);

    public RedisChannel Channel { get; } = RedisChannel.Sharded(keys.Channel(name));

    /// <summary>How many entries to ask for at a time.</summary>
    public int PageCount => Math.Clamp(PageBytes / Volatile.Read(ref _entrySize), 1, 1024);

    /// <summary>The newest entry that this node has seen, and its tag (0: unknown).</summary>
    public (TopicPosition Position, ulong Tag) Seen
    {
        get
        {
            lock (_lock)
                return (_seen, _seenTag);
        }
    }

    public void See(TopicPosition position, ulong tag, int size = 0)
    {
        lock (_lock)
        {
            if (position > _seen)
                (_seen, _seenTag) = (position, tag);
        }

        // Quick to see that entries are large, slow to forget it.
        if (size > 0)
            Volatile.Write(ref _entrySize, Math.Max(size, (_entrySize * 15 / 16) + 64));
    }

    /// <summary>The arguments that all scripts of a topic begin with; see <c>Scripts/topic.lua</c>.</summary>
    public void WriteArguments(Span<RedisValue> arguments)
    {
        _bounds.CopyTo(arguments);
        var (position, tag) = Seen;
        arguments[5] = position.Epoch.ToString(CultureInfo.InvariantCulture);
        arguments[6] = position.Offset.ToString(CultureInfo.InvariantCulture);
        arguments[7] = tag == 0 ? RedisValue.EmptyString : ToBytes(tag);
    }

    private static byte[] ToBytes(ulong tag)
    {
        var bytes = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, tag);
        return bytes;
    }

    private static long Milliseconds(TimeSpan time) => Math.Max((long)time.TotalMilliseconds, 1);
}
