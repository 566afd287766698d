using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace RealtimeKit.ServerSentEvents;

/// <summary>
/// What is measured of event streams, for every host of them and for the client, under one meter. Names and units are a contract, listed in
/// docs/server-sent-events.md. Nothing is counted, and no byte allocated, while nobody listens.
/// </summary>
internal sealed class ServerSentEventMetrics
{
    public const string MeterName = "RealtimeKit.ServerSentEvents";

    private static readonly ConditionalWeakTable<IMeterFactory, ServerSentEventMetrics> OfFactories = [];
    private static readonly Lazy<ServerSentEventMetrics> OfProcess = new(static () => new ServerSentEventMetrics(new Meter(MeterName)));

    // Streams last from a refused first write to the age limit of hours.
    private static readonly InstrumentAdvice<double> StreamSeconds = new() { HistogramBucketBoundaries = [0.1, 1, 5, 15, 60, 300, 900, 3600, 7200, 14400, 43200] };

    private readonly UpDownCounter<long> _activeStreams;
    private readonly Histogram<double> _streamDuration;
    private readonly Counter<long> _events;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _heartbeats;
    private readonly Counter<long> _writeTimeouts;
    private readonly Counter<long> _connects;
    private readonly Counter<long> _reconnects;

    private ServerSentEventMetrics(Meter meter)
    {
        _activeStreams = meter.CreateUpDownCounter<long>("realtimekit.sse.server.active_streams", "{stream}", "Event streams that are open.");
        _streamDuration = meter.CreateHistogram(
            "realtimekit.sse.server.stream.duration", "s", "How long event streams were open, by the reason of their end.", tags: null, StreamSeconds);
        _events = meter.CreateCounter<long>("realtimekit.sse.server.events", "{event}", "Events written to streams.");
        _bytes = meter.CreateCounter<long>("realtimekit.sse.server.io", "By", "Bytes written to streams: events, comments, heartbeats.");
        _heartbeats = meter.CreateCounter<long>("realtimekit.sse.server.heartbeats", "{heartbeat}", "Heartbeats written to idle streams.");
        _writeTimeouts = meter.CreateCounter<long>("realtimekit.sse.server.write_timeouts", "{stream}", "Streams cut off because their client did not read.");
        _connects = meter.CreateCounter<long>("realtimekit.sse.client.connects", "{request}", "Requests of clients for event streams, by what became of them.");
        _reconnects = meter.CreateCounter<long>("realtimekit.sse.client.reconnects", "{request}", "Requests of clients that follow an earlier one, by what ended that.");
    }

    /// <summary>Whether somebody listens to what each write adds to.</summary>
    public bool CountsWrites => _events.Enabled || _bytes.Enabled;

    /// <summary>The metrics of a host; those of the process where it has no factory.</summary>
    public static ServerSentEventMetrics For(IMeterFactory? factory) => factory is null
        ? OfProcess.Value
        : OfFactories.GetValue(factory, static factory => new ServerSentEventMetrics(factory.Create(MeterName)));

    /// <summary>Counts a stream that has opened.</summary>
    /// <returns>Whether somebody listened: whoever comes later shall not see it end.</returns>
    public bool StreamOpened()
    {
        if (!_activeStreams.Enabled)
            return false;
        _activeStreams.Add(1);
        return true;
    }

    /// <summary>Counts a stream that has ended.</summary>
    /// <param name="wasCounted">What <see cref="StreamOpened"/> said.</param>
    /// <param name="age">How long it was open.</param>
    /// <param name="reason">Why it ended, in snake case.</param>
    public void StreamEnded(bool wasCounted, TimeSpan age, string reason)
    {
        if (wasCounted)
            _activeStreams.Add(-1);
        if (_streamDuration.Enabled)
            _streamDuration.Record(age.TotalSeconds, new KeyValuePair<string, object?>("realtimekit.sse.end_reason", reason));
    }

    public void StreamTimedOut() => _writeTimeouts.Add(1);

    public void Written(int events, long bytes)
    {
        if (events > 0)
            _events.Add(events);
        _bytes.Add(bytes);
    }

    public void HeartbeatWritten(int bytes)
    {
        _heartbeats.Add(1);
        _bytes.Add(bytes);
    }

    /// <summary>Counts a client's request, and what became of it.</summary>
    public void Connected(Exception? error)
    {
        if (!_connects.Enabled)
            return;
        if (error is null)
            _connects.Add(1);
        else
            _connects.Add(1, new KeyValuePair<string, object?>("error.type", ErrorType(error)));
    }

    /// <summary>Counts a client's further request.</summary>
    /// <param name="error">What ended the connection before, or refused it; null where the server ended its stream.</param>
    public void Reconnecting(Exception? error)
    {
        if (!_reconnects.Enabled)
            return;
        if (error is null)
            _reconnects.Add(1);
        else
            _reconnects.Add(1, new KeyValuePair<string, object?>("error.type", ErrorType(error)));
    }

    // OpenTelemetry: a low-cardinality name of the error, or the response's status.
    public static string ErrorType(Exception error) => error is not ServerSentEventClientException { Error: var kind } client ? "_OTHER" : kind switch
    {
        ServerSentEventClientError.Status when client.StatusCode is { } status => ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture),
        ServerSentEventClientError.NoContent => "204",
        ServerSentEventClientError.ContentType => "content_type",
        ServerSentEventClientError.Timeout => "timeout",
        ServerSentEventClientError.Certificate => "certificate",
        _ => "connection_lost",
    };
}
