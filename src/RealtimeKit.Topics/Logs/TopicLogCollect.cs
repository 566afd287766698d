namespace RealtimeKit.Topics;

/// <summary>What became of collecting for a subscription.</summary>
internal enum TopicLogCollect
{
    /// <summary>Everything was collected, and the slot is linked: the next append wakes it.</summary>
    CaughtUp,

    /// <summary>There is more.</summary>
    More,

    /// <summary>The position is outside the window: the engine must be asked.</summary>
    OutsideWindow,

    /// <summary>The subscription is further behind than the topic's policy allows.</summary>
    TooSlow,

    /// <summary>Something would be skipped, which the subscription does not want.</summary>
    Gap,
}
