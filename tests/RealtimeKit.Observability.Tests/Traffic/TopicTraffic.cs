using RealtimeKit.Topics;

namespace RealtimeKit.Observability.Tests;

/// <summary>Does with topics whatever is measured or traced.</summary>
internal static class TopicTraffic
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task RunAsync(Recording recording)
    {
        await using var hub = new TopicHub(options: new TopicsOptions().Topic("short", topic => topic.HistoryCount = 1), meterFactory: null);
        var cursor = await hub.GetCursorAsync(["short"], Cancelled);
        for (var i = 0; i < 3; i++)
            await hub.PublishAsync("short", $"{i}", cancellationToken: Cancelled);
        await using (await hub.SubscribeAsync(new Taker(), ["short"], cursor, cancellationToken: Cancelled))
        {
            foreach (var instrument in (string[])["gaps", "delivered", "lag"])
                await recording.UntilAsync($"realtimekit.topics.{instrument}");
        }

        await recording.UntilTracedAsync("deliver");
        var (publishes, delivers) = (Of("publish"), Of("deliver"));
        delivers.SelectMany(activity => activity.Links).Should().OnlyContain(link => publishes.Any(publish => publish.SpanId == link.Context.SpanId)).And.NotBeEmpty();

        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await FluentActions.Awaiting(() => hub.PublishAsync("short", "x", cancellationToken: cancelled.Token).AsTask()).Should().ThrowAsync<OperationCanceledException>();
        await recording.UntilTracedAsync("publish", "cancelled");

        System.Diagnostics.Activity[] Of(string name) => [.. recording.Activities.Where(activity => activity.OperationName == name && (name == "deliver" || $"{activity.GetTagItem("messaging.destination.name")}" == "short"))];
    }

    private sealed class Taker : ITopicSubscriber
    {
        public ValueTask DeliverAsync(TopicSubscription subscription, ReadOnlySpan<TopicItem> items) => ValueTask.CompletedTask;

        public void OnEnded(TopicSubscription subscription, TopicSubscriptionEnd reason, Exception? exception)
        {
        }
    }
}
