using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>Listens to one host's meter of event streams.</summary>
internal sealed class MeterRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, string? Tag)> _measurements = [];

    public MeterRecorder(TestServerHost server)
    {
        var factory = server.App.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "RealtimeKit.ServerSentEvents" && instrument.Meter.Scope == factory)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>All that an instrument was given, added up.</summary>
    public double Sum(string name) => Values(name).Sum(measurement => measurement.Value);

    public IReadOnlyList<(double Value, string? Tag)> Values(string name) =>
        [.. _measurements.Where(measurement => measurement.Name == "realtimekit.sse.server." + name).Select(measurement => (measurement.Value, measurement.Tag))];

    /// <summary>Waits until a stream's end has been measured.</summary>
    public async Task<(double Seconds, string? Reason)> EndAsync()
    {
        await Until.TrueAsync(() => Values("stream.duration").Count == 1);
        return Values("stream.duration")[0];
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _measurements.Enqueue((instrument.Name, value, tags.IsEmpty ? null : $"{tags[0].Key}={tags[0].Value}"));
}
