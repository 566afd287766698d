using System.Diagnostics.Metrics;
using RealtimeKit.Topics;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>A topic, mapped as an application maps it: WebSockets and event streams, each event with the cursor by which a browser resumes.</summary>
internal sealed class TopicsFanOut : IFanOut, IDisposable
{
    private readonly MeterListener _meters = new();
    private ITopicPublisher? _publisher;
    private long _subscribers;

    public int Subscribers => (int)Interlocked.Read(ref _subscribers);

    /// <param name="services">The server's services.</param>
    /// <param name="redis">Host and port of a Redis; empty for the engine in process.</param>
    public static void AddServices(IServiceCollection services, string redis)
    {
        var topics = services.AddTopics();
        if (redis.Length > 0)
            topics.AddRedis(redis);
    }

    public void Map(WebApplication app)
    {
        // Nothing else is listened to, so that nothing else costs anything.
        _meters.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "realtimekit.topics.subscriptions")
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((_, change, _, _) => Interlocked.Add(ref _subscribers, change));
        _meters.Start();

        app.MapTopics("/ws", options => options.WebSockets.Connection.KeepAliveInterval = TimeSpan.FromMinutes(2));
        app.MapTopics("/sse");
        _publisher = app.Services.GetRequiredService<ITopicPublisher>();
    }

    public async ValueTask PublishAsync(ReadOnlyMemory<byte> message) => await _publisher!.PublishAsync("all", message);

    public void Dispose() => _meters.Dispose();
}
