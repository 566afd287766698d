using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Samples.Showcase;

/// <summary>The library's spans: of one publication in ten, and of what delivers it. Counted by name; the newest of each is kept.</summary>
internal sealed class TraceReader : IDisposable
{
    private readonly ConcurrentDictionary<string, Traced> _spans = new(StringComparer.Ordinal);
    private readonly ActivityListener _listener;

    public TraceReader()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name.StartsWith("RealtimeKit.", StringComparison.Ordinal),
            Sample = static (ref span) =>
                span.Kind == ActivityKind.Producer && Random.Shared.Next(10) > 0 ? ActivitySamplingResult.None : ActivitySamplingResult.AllData,
            ActivityStopped = Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>All of it, once a second.</summary>
    public async IAsyncEnumerable<IReadOnlyList<Traced>> EachSecondAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            yield return [.. _spans.Values.OrderByDescending(span => span.Kind)];
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Activity activity)
    {
        var span = new Traced(
            activity.OperationName,
            $"{activity.Kind}",
            1,
            activity.GetTagItem("messaging.destination.name") as string,
            $"{activity.TraceId}",
            [.. activity.Links.Select(link => $"{link.Context.TraceId}")]);
        _spans.AddOrUpdate(span.Name, span, (_, known) => span with { Count = known.Count + 1 });
    }
}

/// <summary>What is known of the spans of one name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Kind">Producer, Consumer or Client.</param>
/// <param name="Count">How many there were.</param>
/// <param name="Topic">The newest one's topic, if it has one.</param>
/// <param name="Trace">Its trace.</param>
/// <param name="Links">The traces of the publications that it delivers.</param>
internal sealed record Traced(string Name, string Kind, long Count, string? Topic, string Trace, IReadOnlyList<string> Links);
