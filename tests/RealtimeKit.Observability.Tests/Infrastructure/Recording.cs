using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeKit.Observability.Tests;

/// <summary>All that one of the library's meters measures, and all that the source of its name traces, as long as it is not disposed.</summary>
internal sealed class Recording : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public Recording(string name)
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == name)
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Activities.Enqueue,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    public ConcurrentQueue<Measurement> Measurements { get; } = [];

    public ConcurrentQueue<Activity> Activities { get; } = [];

    /// <summary>Waits for a measurement with this text among its tags' values.</summary>
    public async Task UntilAsync(string instrument, string tag = "", Action? meanwhile = null)
    {
        while (!Measurements.Any(measurement => measurement.Instrument == instrument && (tag.Length == 0 || measurement.Tags.Any(pair => pair.Value == tag))))
        {
            meanwhile?.Invoke();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits for an activity of this name, with this value among its tags.</summary>
    public async Task UntilTracedAsync(string activity, string tag = "")
    {
        while (!Activities.Any(traced => traced.OperationName == activity && (tag.Length == 0 || traced.TagObjects.Any(pair => $"{pair.Value}" == tag))))
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    /// <summary>Asks the instruments that tell when they are asked.</summary>
    public void Observe() => _meters.RecordObservableInstruments();

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = new Dictionary<string, string>();
        foreach (var (key, tag) in tags)
            copy.Add(key, $"{tag}");
        Measurements.Enqueue(new Measurement(instrument.Name, value, copy));
    }
}

/// <summary>One measurement.</summary>
internal sealed record Measurement(string Instrument, double Value, Dictionary<string, string> Tags);
