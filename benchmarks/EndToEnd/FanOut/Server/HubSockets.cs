using RealtimeKit.AspNetCore;
using RealtimeKit.Topics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A topic over WebSockets that the application accepted itself: what a subscription alone takes.</summary>
internal sealed class HubSockets : IFanOut
{
    private readonly TopicHub _hub = new();
    private int _subscribers;

    public int Subscribers => Volatile.Read(ref _subscribers);

    public void Map(WebApplication app) => app.MapWebSocket(
        "/ws",
        new WebSocketEndpointOptions { Connection = { KeepAliveInterval = TimeSpan.FromMinutes(2) } },
        async connection =>
        {
            await using var subscription = await _hub.SubscribeAsync(new WebSocketTopicSubscriber(connection), ["all"]);
            Interlocked.Increment(ref _subscribers);
            try
            {
                await foreach (var _ in connection.ReadAllAsync())
                {
                }
            }
            finally
            {
                Interlocked.Decrement(ref _subscribers);
            }
        });

    public async ValueTask PublishAsync(ReadOnlyMemory<byte> message) => await _hub.PublishAsync("all", message);
}
