using System.Globalization;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase;

/// <summary>A client that takes its time, as a slow phone would, before it is ready for the next batch.</summary>
internal sealed class PacedSubscriber(ITopicSubscriber client, HttpRequest request) : ITopicSubscriber
{
    // What the page asks for, at most 10 s: ?pace=2000.
    private readonly int _pace =
        int.TryParse(request.Query["pace"], NumberStyles.None, CultureInfo.InvariantCulture, out var pace)
            ? Math.Min(pace, 10_000)
            : 0;

    public async ValueTask WaitUntilReadyAsync()
    {
        if (_pace > 0)
            await Task.Delay(_pace);
        await client.WaitUntilReadyAsync();
    }

    public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) =>
        client.DeliverAsync(subscription, items);

    public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception) =>
        client.OnEnded(subscription, reason, exception);
}
