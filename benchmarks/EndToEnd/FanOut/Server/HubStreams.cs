using RealtimeKit.Topics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A topic over event streams that the application opened itself: what a subscription alone takes.</summary>
internal sealed class HubStreams : IFanOut
{
    private readonly TopicHub _hub = new();
    private int _subscribers;

    public int Subscribers => Volatile.Read(ref _subscribers);

    public void Map(WebApplication app) => app.MapServerSentEvents("/sse", async (writer, closed) =>
    {
        await using var subscription = await _hub.SubscribeAsync(new ServerSentEventTopicSubscriber(writer), ["all"], cancellationToken: closed);
        Interlocked.Increment(ref _subscribers);
        try
        {
            await Task.Delay(Timeout.Infinite, closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Interlocked.Decrement(ref _subscribers);
        }
    });

    public async ValueTask PublishAsync(ReadOnlyMemory<byte> message) => await _hub.PublishAsync("all", message);
}
