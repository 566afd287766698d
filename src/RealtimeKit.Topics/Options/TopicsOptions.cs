using System.Runtime.CompilerServices;

namespace RealtimeKit.Topics;

/// <summary>What holds for all topics of an application. To be set before the first topic is used.</summary>
public sealed class TopicsOptions
{
    private readonly List<(TopicPattern Pattern, TopicOptions Options)> _topics = [];

    /// <summary>What holds for topics that no pattern matches.</summary>
    public TopicOptions Default { get; } = new();

    /// <summary>The most topics that one subscription, and so one connection, may have. Default: 100.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 10,000.</exception>
    public int MaxTopicsPerSubscription { get; set => field = InRange(value, 1, 10_000); } = 100;

    /// <summary>
    /// The most topics that the engine in process holds at a time. For one more, topics with neither subscribers nor history go, those that
    /// were used least recently first; where there are none, it is refused with a <see cref="TopicEngineException"/>. Default: 100,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxTopics { get; set => field = InRange(value, 1, int.MaxValue); } = 100_000;

    /// <summary>The largest payload of a publication, in bytes. Default: 1 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxPayloadSize { get; set => field = InRange(value, 1, 1 << 30); } = 1 << 20;

    /// <summary>
    /// The most bytes that may wait on a connection's node of what <see cref="TopicConnections.SendAsync"/> has sent to it, 128 for each
    /// message beside its payload. A connection for which more would wait is disconnected: it does not read. One message is always taken,
    /// however large. Default: 1 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxQueuedBytesPerConnection { get; set => field = InRange(value, 1, int.MaxValue); } = 1 << 20;

    /// <summary>
    /// How long a topic with neither subscribers nor history remembers its position before it vanishes: a cursor given out for it
    /// holds for that long. Default: 5 minutes.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan IdleTopicLifetime
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromMinutes(5);

    /// <summary>The most entries that a subscriber is handed at a time. Default: 512.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 4,096.</exception>
    public int BatchCount { get; set => field = InRange(value, 1, 4096); } = 512;

    /// <summary>
    /// After how many bytes of payload a subscriber is handed no further entry in the same batch: what may be unflushed of a subscriber
    /// is this and one entry. Default: 64 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int BatchBytes { get; set => field = InRange(value, 1, 1 << 30); } = 64 * 1024;

    /// <summary>
    /// How long entries of the connection registry and of presence outlive a node that has gone without a word; they are renewed three
    /// times as often. Default: 60 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 3 s.</exception>
    public TimeSpan PresenceLifetime
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(3));
            field = value;
        }
    } = TimeSpan.FromSeconds(60);

    /// <summary>The clock of ages and lifetimes. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set => field = value ?? throw new ArgumentNullException(nameof(value)); } = TimeProvider.System;

    /// <summary>
    /// Sets what holds for topics whose names match a pattern, beginning with a copy of <see cref="Default"/>. Of several patterns that
    /// match, the one that was set first counts.
    /// </summary>
    /// <param name="pattern">
    /// A name, in which <c>*</c> stands for any characters but <c>/</c> and <c>**</c> for any characters, none included.
    /// </param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>These options.</returns>
    /// <exception cref="ArgumentException">The pattern is empty or longer than 256 characters.</exception>
    public TopicsOptions Topic(string pattern, Action<TopicOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = Default.Clone();
        var parsed = new TopicPattern(pattern);
        configure(options);
        _topics.Add((parsed, options));
        return this;
    }

    /// <summary>What holds for a topic.</summary>
    /// <param name="topic">The topic's name.</param>
    public TopicOptions Resolve(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        foreach (var (pattern, options) in _topics)
        {
            if (pattern.IsMatch(topic))
                return options;
        }

        return Default;
    }

    private static int InRange(int value, int minimum, int maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }
}
