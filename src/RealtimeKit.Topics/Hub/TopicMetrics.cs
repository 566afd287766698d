using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeKit.Topics;

/// <summary>What is measured and traced; nothing is done where nobody listens. Instruments have no tags: topics are too many, and may be private.</summary>
internal sealed class TopicMetrics : IDisposable
{
    public const string Name = "RealtimeKit.Topics";

    private const int MaxLinks = 32;

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _published;
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _gaps;
    private readonly UpDownCounter<long> _subscriptions;
    private readonly Histogram<double> _lag;

    public TopicMetrics(IMeterFactory? factory)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _published = _meter.CreateCounter<long>("realtimekit.topics.published", "{message}", "Publications handed to the engine.");
        _delivered = _meter.CreateCounter<long>("realtimekit.topics.delivered", "{message}", "Entries handed to subscribers.");
        _gaps = _meter.CreateCounter<long>("realtimekit.topics.gaps", "{gap}", "Gaps that subscribers were told of.");
        _subscriptions = _meter.CreateUpDownCounter<long>("realtimekit.topics.subscriptions", "{subscription}", "Open subscriptions.");
        _lag = _meter.CreateHistogram<double>("realtimekit.topics.lag", "s", "From storing an entry to handing it to a subscriber.");
    }

    public static ActivitySource Activities { get; } = new(Name);

    public bool IsEnabled => _delivered.Enabled || _gaps.Enabled || _lag.Enabled;

    public void OnPublished() => _published.Add(1);

    public void OnSubscribed() => _subscriptions.Add(1);

    public void OnUnsubscribed() => _subscriptions.Add(-1);

    public void OnDelivered(ReadOnlySpan<TopicItem> items, TimeProvider clock)
    {
        var now = _lag.Enabled ? clock.GetUtcNow() : default;
        foreach (ref readonly var item in items)
        {
            if (item.Kind == TopicItemKind.Gap)
                _gaps.Add(1);
            if (item.Kind != TopicItemKind.Entry)
                continue;
            _delivered.Add(1);
            if (_lag.Enabled)
                _lag.Record(Math.Max((now - item.Entry.PublishedAt).TotalSeconds, 0));
        }
    }

    public static void TraceDelivery(ReadOnlySpan<TopicItem> items)
    {
        var links = new List<ActivityLink>();
        foreach (ref readonly var item in items)
        {
            if (item.Kind == TopicItemKind.Entry && item.Entry.Activity != default && links.Count < MaxLinks)
                links.Add(new ActivityLink(item.Entry.Activity));
        }

        if (links.Count > 0)
            Activities.StartActivity(ActivityKind.Consumer, links: links, name: "deliver")?.Dispose();
    }

    /// <summary>A publication has failed. OpenTelemetry: a low-cardinality name of the error.</summary>
    public static void TraceFailure(Activity activity, Exception error) => activity
        .SetTag("error.type", error switch
        {
            OperationCanceledException => "cancelled",
            TopicEngineException => nameof(TopicEngineException),
            _ => "_OTHER",
        })
        .SetStatus(ActivityStatusCode.Error);

    public void Dispose()
    {
        if (_ownsMeter)
            _meter.Dispose();
    }
}
