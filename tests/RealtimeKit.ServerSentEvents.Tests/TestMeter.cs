using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>A host's meter factory, and somebody who listens to what comes of it.</summary>
internal sealed class TestMeter : IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<string> _measurements = [];
    private Meter? _meter;

    /// <param name="keep">Whether to keep measurements, which allocates.</param>
    public TestMeter(bool keep)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _meter)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Total += value;
            if (keep)
                _measurements.Enqueue($"{instrument.Name} {value}{(tags.IsEmpty ? "" : $" {tags[0].Key}={tags[0].Value}")}");
        });
        _listener.Start();
    }

    public long Total { get; private set; }

    public IEnumerable<string> Measurements => _measurements;

    public Meter Create(MeterOptions options) => _meter ??= new Meter(options.Name, options.Version, options.Tags, scope: this);

    public void Dispose()
    {
        _listener.Dispose();
        _meter?.Dispose();
    }
}
