using System.Globalization;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase;

/// <summary>A client that takes its time, as a slow phone would: the next batch is read only when it is done with the last.</summary>
internal sealed class PacedSubscriber(ITopicSubscriber client, TimeSpan pace) : ITopicSubscriber
{
    /// <summary>What a page asks for, at most 10 s: <c>?pace=2000</c>.</summary>
    public static TimeSpan PaceOf(HttpRequest request) =>
        ushort.TryParse(request.Query["pace"], NumberStyles.None, CultureInfo.InvariantCulture, out var pace) ? TimeSpan.FromMilliseconds(Math.Min(pace, (ushort)10_000)) : TimeSpan.Zero;

    public async ValueTask WaitUntilReadyAsync()
    {
        if (pace > TimeSpan.Zero)
            await Task.Delay(pace);
        await client.WaitUntilReadyAsync();
    }

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) => client.DeliverAsync(subscription, items);

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) => client.OnEnded(subscription, reason, exception);
}
