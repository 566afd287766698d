using System.Diagnostics;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Ten readings a second, of which the last two minutes are kept: a boiler and a pump that exist only here, and this very process.</summary>
internal sealed class SensorLog : BackgroundService
{
    private const int Kept = 1200;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Queue<Reading> _readings = new(Kept);
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is held after a reading, then each new one. Without a number, or with one that is no number: from the oldest.</summary>
    public async IAsyncEnumerable<SseItem<Reading>> After(string? number, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _ = long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last);
        while (true)
        {
            Reading[] readings;
            Task next;
            lock (_lock)
            {
                last = last > (_readings.LastOrDefault()?.Number ?? 0) ? 0 : last;   // a number of another run of this program
                readings = [.. _readings.Where(reading => reading.Number > last)];
                next = _next.Task;
            }

            foreach (var reading in readings)
                yield return new SseItem<Reading>(reading) { EventId = (last = reading.Number).ToString(CultureInfo.InvariantCulture) };
            await next.WaitAsync(cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var reading = new Reading(0, 0, 62, 1.2, 0, 0);
        var cpu = TimeSpan.Zero;
        var at = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var used = Environment.CpuUsage.TotalTime;
            reading = new Reading(
                reading.Number + 1,
                DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                Math.Round(reading.Boiler + (62 + 6 * Math.Sin(reading.Number / 80.0) - reading.Boiler) * 0.05 + Noise(0.25), 2),
                Math.Round(Math.Max(0, 1.2 + (reading.Number % 300 < 40 ? 1.6 : 0) + Noise(0.35)), 2),
                Math.Round(Math.Min((used - cpu) / Stopwatch.GetElapsedTime(at), Environment.ProcessorCount) * 100, 1),
                Math.Round(GC.GetTotalMemory(forceFullCollection: false) / 1048576.0, 2));
            (cpu, at) = (used, Stopwatch.GetTimestamp());
            Add(reading);
        }
    }

    private static double Noise(double width) => (Random.Shared.NextDouble() - 0.5) * 2 * width;

    private void Add(Reading reading)
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            if (_readings.Count == Kept)
                _readings.Dequeue();
            _readings.Enqueue(reading);
            told = _next;
            _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        told.SetResult();
    }
}

/// <summary>One reading of all sensors.</summary>
/// <param name="Number">From 1, without a hole.</param>
/// <param name="At">When, in milliseconds since 1970.</param>
/// <param name="Boiler">°C; made up.</param>
/// <param name="Pump">Vibration in mm/s; made up.</param>
/// <param name="Cpu">What this process uses, in percent of one core; real.</param>
/// <param name="Heap">Managed memory of this process in MiB; real.</param>
internal sealed record Reading(long Number, long At, double Boiler, double Pump, double Cpu, double Heap);
