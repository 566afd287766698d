using System.Diagnostics.Metrics;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>A host's meters, apart from those of every other test, and what is measured with them.</summary>
internal sealed class Meters : IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly List<Meter> _meters = [];
    private readonly List<Measurement> _measurements = [];

    public Meters(bool listens = true)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == this)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        if (listens)
            Listen();
    }

    /// <summary>What was measured, with its tags sorted: name value tag=… tag=….</summary>
    public sealed record Measurement(string Name, double Value, string Tags);

    public void Listen() => _listener.Start();

    /// <summary>Asks those instruments that tell only when they are asked.</summary>
    public double Observe(string name)
    {
        _listener.RecordObservableInstruments();
        return Values(name)[^1];
    }

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(new MeterOptions(options.Name) { Version = options.Version, Scope = this });
        lock (_meters)
            _meters.Add(meter);
        return meter;
    }

    /// <summary>The names of the meters that were made.</summary>
    public string[] Names
    {
        get
        {
            lock (_meters)
                return [.. _meters.Select(meter => meter.Name)];
        }
    }

    /// <summary>All values of an instrument, without its prefix, that have a tag.</summary>
    public double[] Values(string name, string tag = "")
    {
        lock (_measurements)
            return [.. _measurements.Where(measurement => measurement.Name == $"realtimekit.websocket.{name}" && measurement.Tags.Contains(tag, StringComparison.Ordinal)).Select(measurement => measurement.Value)];
    }

    /// <summary>Their sum.</summary>
    public double Sum(string name, string tag = "") => Values(name, tag).Sum();

    /// <summary>The tags with which an instrument was measured.</summary>
    public string[] Tags(string name)
    {
        lock (_measurements)
            return [.. _measurements.Where(measurement => measurement.Name == $"realtimekit.websocket.{name}").Select(measurement => measurement.Tags)];
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters)
            meter.Dispose();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key.Replace("realtimekit.websocket.", "", StringComparison.Ordinal)}={tag.Value}").Order());
        lock (_measurements)
            _measurements.Add(new Measurement(instrument.Name, value, text));
    }
}
