namespace RealtimeKit.Topics;

/// <summary>One topic of a subscription: a place in the topic's log, and a link in the list of those who wait there.</summary>
internal sealed class TopicSlot(TopicLog log, TopicSubscription subscription, TopicPosition start)
{
    // Links of the log's lists, under its lock.
    public TopicSlot? Previous;
    public TopicSlot? Next;

    // Links of the subscription's list, under its gate.
    public TopicSlot? NextOfSubscription;

    /// <summary>Up to where the log was read. Written by whoever runs the subscription.</summary>
    public TopicPosition Position = start;

    /// <summary>Up to where the subscriber was handed entries.</summary>
    public TopicPosition Told = start;

    private volatile bool _isLinked;

    public TopicLog Log => log;

    public TopicSubscription Subscription => subscription;

    /// <summary>Whether the log will wake the subscription: there is nothing to read before.</summary>
    public bool IsLinked
    {
        get => _isLinked;
        set => _isLinked = value;
    }

    /// <summary>Whether the subscriber was told that the topic is there.</summary>
    public bool IsJoined { get; set; }

    /// <summary>Whether the newest entry was reached once: until then it catches up, and is not late.</summary>
    public bool HasCaughtUp { get; set; }

    /// <summary>Taken out of the subscription.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Whether it counts among the connection's topics in the registry. Under the registry's lock.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether the registry was told that the subscription has left the topic. Under the registry's lock.</summary>
    public bool HasLeft { get; set; }
}
