using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeKit.Redis;

/// <summary>The meter <c>RealtimeKit.Redis</c>. Costs nothing where nobody listens.</summary>
internal sealed class RedisTopicMetrics : IDisposable
{
    public const string MeterName = "RealtimeKit.Redis";

    private readonly Meter _meter;
    private readonly Histogram<double> _publish;
    private readonly Counter<long> _notices;
    private readonly Counter<long> _entriesRead;
    private readonly Counter<long> _epochs;

    public RedisTopicMetrics(IMeterFactory? factory, RedisTopicEngine engine)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _publish = _meter.CreateHistogram<double>(
            "realtimekit.redis.publish.duration", "s", "How long publications took until they were stored, or had failed.");
        _notices = _meter.CreateCounter<long>(
            "realtimekit.redis.notices", "{notice}", "Notices of new entries that arrived: appended, known already, or followed by a read.");
        _entriesRead = _meter.CreateCounter<long>(
            "realtimekit.redis.entries_read", "{entry}", "Entries read from streams, by nodes and subscribers that were behind.");
        _epochs = _meter.CreateCounter<long>(
            "realtimekit.redis.epochs", "{epoch}", "Topics on this node whose history was lost or went back.");
        _meter.CreateObservableGauge(
            "realtimekit.redis.topics", () => engine.FeedCount, "{topic}", "Topics with subscribers on this node.");
        _meter.CreateObservableGauge(
            "realtimekit.redis.connected", () => engine.Connection.IsConnected ? 1 : 0, "{connection}", "Whether Redis can be reached.");
    }

    public long Start() => _publish.Enabled ? Stopwatch.GetTimestamp() : 0;

    public void Published(long started, bool failed)
    {
        if (started == 0)
            return;
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (failed)
            _publish.Record(seconds, new KeyValuePair<string, object?>("error.type", nameof(Topics.TopicEngineException)));
        else
            _publish.Record(seconds);
    }

    public void Noticed(string outcome) => _notices.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void ReadPage(int entries) => _entriesRead.Add(entries);

    public void EpochChanged() => _epochs.Add(1);

    public void Dispose() => _meter.Dispose();
}
