using System.Diagnostics;
using RealtimeKit.Tests;

namespace RealtimeKit.Soak;

/// <summary>One run: a server that is drained and restarted under load, clients that stay, faults, the same clients again on the same server, and the verdict.</summary>
internal sealed class SoakRun(SoakOptions options) : IDisposable
{
    /// <summary>By how much the server's heap may grow from each cycle's end to the next: encoders and decoders of as many threads as may be left, 232 KiB each.</summary>
    public const long StepBound = FewThreads * (256 << 10);

    private const int FewThreads = 4;

    private readonly TimeSpan _patience = TimeSpan.FromSeconds(options.Patience);
    private readonly Tally _tally = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly List<Ledger> _ledgers = [.. Enumerable.Range(0, Math.Clamp(options.Connections / 250, Math.Min(4, options.Connections / 20), 40)).Select(i => new Ledger($"t{i}"))];
    private Wire _wire = null!;
    private Child _server = null!;
    private string? _redis;

    /// <summary>How much larger it may be after a cycle than before all: besides, the tables of the host and the topics, which keep room for as many as there were at once, and what the Redis client reads and writes through.</summary>
    public long Bound => (2 << 20) + 256L * options.Connections + (options.Redis ? 4 << 20 : 0);

    public SoakFigures Figures { get; } = new();

    public Tally Tally => _tally;

    public async Task<bool> RunAsync()
    {
        var clock = Stopwatch.StartNew();
        _wire = new Wire(LoopbackPorts.Next(), _tally);
        Child? redis = null;
        if (options.Redis)
            (redis, _redis) = await Child.StartRedisAsync();
        try
        {
            _server = await Child.StartServerAsync(_wire.Port, _redis, options.Plant);
            await WarmUpAsync();
            await FillAsync();
            Figures.Before = await Child.StatsAsync(_http, _wire, "/gc");
            Garbage.Collect();
            Figures.ClientBefore = GC.GetTotalMemory(false);
            for (var i = 0; i < options.Cycles; i++)
                await RunCycleAsync(i);
            Judge();
        }
        finally
        {
            await _server.DisposeAsync();
            if (redis is not null)
                await redis.DisposeAsync();
        }

        Figures.Seconds = clock.Elapsed.TotalSeconds;
        return _tally.IsClean;
    }

    public void Dispose() => _http.Dispose();

    // A full history before anything is measured, each time the same, so that what it holds is no growth.
    private async Task FillAsync()
    {
        foreach (var topic in _ledgers.Select(static ledger => ledger.Topic).Append("heavy"))
            (await _http.PostAsync(_wire.Uri($"/fill?topic={topic}"), null)).EnsureSuccessStatusCode().Dispose();
    }

    private async Task WarmUpAsync()
    {
        var faults = new Faults(_wire, new Tally(), _http, CancellationToken.None);
        if (options.Plant is null)
            await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) => await faults.ChurnAsync(new Random(i)));
    }

    // Drains and the full time in the first; those after it are of the process that it has left, for a tenth of the time.
    private async Task RunCycleAsync(int number)
    {
        using var cycle = new Cycle(options, _wire, _tally, _http, _ledgers, options.Seed + number);
        await cycle.OpenAsync();
        cycle.Load();
        var drains = number == 0 ? options.Drains : 0;
        var part = TimeSpan.FromMinutes(number == 0 ? options.Minutes / (drains + 1) : options.Minutes / 10);
        for (var drain = 0; drain <= drains; drain++)
        {
            var peakAt = part * 0.9;
            await Task.Delay(peakAt);
            Figures.Held = Math.Max(Figures.Held, _wire.Count);
            var stats = await Child.StatsAsync(_http, _wire, "/stats");
            if (stats.Managed > (Figures.Peak?.Managed ?? 0))
                Figures.Peak = stats;
            await Task.Delay(part - peakAt);
            if (drain < drains)
                await DrainAsync();
        }

        await cycle.EndAsync(_patience);
        // Redis holds its history itself.
        if (!options.Redis)
            await FillAsync();
        Figures.After.Add(await SettleAsync());
    }

    private async Task DrainAsync()
    {
        _wire.IsAway = true;
        _wire.Generation++;
        Figures.Add(await Child.StatsAsync(_http, _wire, "/stats"));
        if (!await _server.TerminateAsync(TimeSpan.FromSeconds(45)))
            _tally.Fail(Kind.NotEnded, "the server did not end within 45 s of SIGTERM, or not with 0");
        await _server.DisposeAsync();
        _server = await Child.StartServerAsync(_wire.Port, _redis, options.Plant);
        _wire.Generation++;
        _wire.IsAway = false;
        _tally.Add(Kind.Drain);
    }

    // Until everything was given back, those have gone who might have come back (that is a timer's), and the pool's threads have gone.
    private async Task<ServerStats> SettleAsync()
    {
        var waited = Stopwatch.StartNew();
        var stats = await Child.StatsAsync(_http, _wire, "/gc");
        while ((stats.Requests > 0 || stats.Armed > 0 || stats.Timers > 0 || stats.Outstanding > 0 || stats.Threads > FewThreads) && waited.Elapsed < _patience)
        {
            // Longer than a thread of the pool waits for work, so that this gives it none.
            await Task.Delay(1500);
            stats = await Child.StatsAsync(_http, _wire, "/gc");
        }

        // And once more, for what threads have held that ended meanwhile.
        await Task.Delay(1500);
        return await Child.StatsAsync(_http, _wire, "/gc");
    }

    private void Judge()
    {
        var last = Figures.After[^1];
        Figures.Add(last);
        Garbage.Collect();
        Figures.ClientAfter = GC.GetTotalMemory(false);
        foreach (var after in Figures.After)
        {
            if (after.Requests > 0)
                _tally.Fail(Kind.NotEnded, $"{after.Requests} connections are open on the server after all clients have gone");
            if (after.Armed + after.Timers > 0)
                _tally.Fail(Kind.NotEnded, $"{after.Armed} timers in the wheel and {after.Timers} others are armed after all connections have ended");
            if (after.Periodic > Figures.After[0].Periodic)
                _tally.Fail(Kind.NotEnded, $"{after.Periodic} periodic timers run, {Figures.After[0].Periodic} before");
            if (after.Outstanding > 0 || after.Rents != after.Returns + after.Abandoned)
                _tally.Fail(Kind.NotEnded, $"buffers: {after.Rents} rented, {after.Returns} returned, {after.Abandoned} left to the collector. {string.Concat(after.Renters)}");
        }

        foreach (var misuse in last.Misuse)
            _tally.Fail(Kind.Unexpected, misuse);
        if (Figures.After.Max(static stats => stats.Own) - Figures.Before.Own is var growth && growth > Bound)
            _tally.Fail(Kind.Unexpected, $"heap: it grew by {growth} bytes");
        // What is left of every connection is so each time; what a burst has made larger is so once.
        if (Figures.SmallestStep is { } step && step > StepBound)
            _tally.Fail(Kind.Unexpected, $"heap: it grew by {step} bytes or more each time that all clients came and went");
    }
}
