using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Sums up what the meters of the library say, from the program's start on.</summary>
internal sealed class MeterReader : IDisposable
{
    private const int MaxSeries = 500;

    private readonly ConcurrentDictionary<(string Instrument, string Tags), Series> _series = new();
    private readonly MeterListener _listener = new();

    public MeterReader()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("RealtimeKit.", StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>All of it, once a second.</summary>
    public async IAsyncEnumerable<IReadOnlyList<Measured>> EachSecondAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            yield return [.. _series.Values.Select(series => series.Read()).OrderBy(read => read.Instrument, StringComparer.Ordinal).ThenBy(read => read.Tags, StringComparer.Ordinal)];
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = "";
        foreach (var (name, tag) in tags)
            text += $"{(text.Length == 0 ? "" : ", ")}{name[(name.LastIndexOf('.') + 1)..]} {tag}";
        if (_series.TryGetValue((instrument.Name, text), out var series) || _series.Count < MaxSeries)
            (series ?? _series.GetOrAdd((instrument.Name, text), new Series(instrument, text))).Add(value);
    }

    private sealed class Series(Instrument instrument, string tags)
    {
        private readonly Lock _lock = new();
        private long _count;
        private double _sum;

        public void Add(double value)
        {
            lock (_lock)
            {
                _count++;
                _sum += value;
            }
        }

        public Measured Read()
        {
            lock (_lock)
                return new Measured(instrument.Name, tags, instrument.Unit ?? "", instrument is Histogram<double> ? _sum / _count : _sum, _count, instrument is Histogram<double>);
        }
    }
}

/// <summary>What an instrument says for one set of tags.</summary>
/// <param name="Instrument">Its name.</param>
/// <param name="Tags">The tags as text.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Value">The sum; of a histogram the mean.</param>
/// <param name="Count">How many measurements.</param>
/// <param name="IsMean">Whether it is a mean.</param>
internal sealed record Measured(string Instrument, string Tags, string Unit, double Value, long Count, bool IsMean);
