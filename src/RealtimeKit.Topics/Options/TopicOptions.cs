using System.Runtime.CompilerServices;

namespace RealtimeKit.Topics;

/// <summary>What holds for a topic, or for those whose names match a pattern. Every value has a safe default.</summary>
public sealed class TopicOptions
{
    /// <summary>The most entries of a topic that are kept. Default: 1,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 1 and 10,000,000.</exception>
    public int HistoryCount { get; set => field = InRange(value, 1, 10_000_000); } = 1000;

    /// <summary>
    /// The most bytes of a topic that are kept, payloads and 256 bytes for each entry; the newest entry is kept in any case. Default: 16 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long HistoryBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 16 << 20;

    /// <summary>How long an entry is kept. <see cref="Timeout.InfiniteTimeSpan"/> for as long as there is room. Default: 1 hour.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public TimeSpan HistoryAge
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromHours(1);

    /// <summary>What happens to subscribers that fall behind. Default: <see cref="SlowConsumerPolicy.Wait"/>.</summary>
    public SlowConsumerPolicy SlowConsumers { get; set; }

    /// <summary>
    /// By how many entries a subscriber may be behind before a policy other than <see cref="SlowConsumerPolicy.Wait"/> acts; also one that
    /// comes back with a cursor. Default: 256. With 0, conflating topics always conflate.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxLag { get; set => field = InRange(value, 0, int.MaxValue); } = 256;

    /// <summary>
    /// Finds the key of a publication that names none, for topics that conflate. Called once for each publication, on the publisher's
    /// thread. Default: none, only <see cref="TopicPublication.Key"/> counts.
    /// </summary>
    public Func<TopicPublication, string?>? ConflationKey { get; set; }

    /// <summary>
    /// Whether a user may read the topic. Asked when it subscribes and at every resume. Default: <see langword="null"/>, everybody may.
    /// The application itself is not asked.
    /// </summary>
    public Func<TopicAccess, ValueTask<bool>>? AuthorizeSubscribe { get; set; }

    /// <summary>
    /// Whether a user may publish to the topic, over any transport. Default: <see langword="null"/>, nobody may: only the application
    /// publishes, which is never asked.
    /// </summary>
    public Func<TopicAccess, ValueTask<bool>>? AuthorizePublish { get; set; }

    /// <summary>
    /// Whether it is told who is subscribed: joins and leaves are published to the topic that <see cref="TopicPresence.GetTopic"/> names, and
    /// <see cref="TopicPresence.ListAsync"/> lists them. Default: <see langword="false"/>.
    /// </summary>
    public bool Presence { get; set; }

    internal TopicOptions Clone() => (TopicOptions)MemberwiseClone();

    private static int InRange(int value, int minimum, int maximum, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
        return value;
    }
}
