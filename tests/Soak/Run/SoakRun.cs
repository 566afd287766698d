using System.Diagnostics;
using System.Net.Sockets;

namespace RealtimeKit.Soak;

/// <summary>One run: a server that is drained and restarted under load, clients that stay, faults, and the verdict.</summary>
internal sealed class SoakRun(SoakOptions options) : IDisposable
{
    private readonly TimeSpan _patience = TimeSpan.FromSeconds(options.Patience);
    private readonly Tally _tally = new();
    private readonly Random _random = new(options.Seed);
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _published = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly List<Ledger> _ledgers = [];
    private Wire _wire = null!;
    private Clients _clients = null!;
    private Child _server = null!;
    private string? _redis;

    public SoakFigures Figures { get; } = new();

    public Tally Tally => _tally;

    public async Task<bool> RunAsync()
    {
        var clock = Stopwatch.StartNew();
        _wire = new Wire(Child.FreePort(), _tally);
        _clients = new Clients(_wire, _tally, _over.Token);
        Child? redis = null;
        if (options.Redis)
            (redis, _redis) = await Child.StartRedisAsync();
        try
        {
            await StartAsync(fill: true);
            await WarmUpAsync();
            Figures.Before = await Child.StatsAsync(_http, _wire, "/gc");
            Garbage.Collect();
            Figures.ClientBefore = GC.GetTotalMemory(false);
            var tasks = await OpenAsync();
            await LoadAsync(tasks);
            await EndAsync(tasks);
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

    public void Dispose()
    {
        _over.Dispose();
        _published.Dispose();
        _http.Dispose();
    }

    private async Task StartAsync(bool fill)
    {
        _server = await Child.StartServerAsync(_wire.Port, _redis, options.Plant);
        if (_ledgers.Count == 0)
            _ledgers.AddRange(Enumerable.Range(0, Math.Clamp(options.Connections / 250, 4, 40)).Select(i => new Ledger($"t{i}")));
        // A full history before the run, so that it is no growth.
        foreach (var ledger in fill ? _ledgers : [])
            (await _http.PostAsync(_wire.Uri($"/fill?topic={ledger.Topic}"), null)).EnsureSuccessStatusCode().Dispose();
    }

    private async Task WarmUpAsync()
    {
        var faults = new Faults(_wire, new Tally(), _http, CancellationToken.None);
        if (options.Plant is null)
            await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) => await faults.ChurnAsync(new Random(i)));
    }

    private async Task<List<Task>> OpenAsync()
    {
        var tasks = new List<Task>();
        var interval = TimeSpan.FromSeconds(Math.Max(1, options.Connections / 500.0));
        var streams = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancel) => new KeptStream(_wire, await _wire.ConnectAsync(cancel)) }) { Timeout = Timeout.InfiniteTimeSpan };
        for (var i = 0; i < options.Connections; i++)
        {
            var ledger = _ledgers[i % _ledgers.Count];
            var seed = options.Seed + i;
            tasks.Add((i % 20) switch
            {
                < 6 => _clients.EchoAsync(seed, isCompressed: false, interval),
                < 10 => _clients.EchoAsync(seed, isCompressed: true, interval),
                < 15 => _clients.EventStreamAsync(streams, ledger),
                < 19 => _clients.ReliableTopicAsync(seed, ledger),
                _ => _clients.RawTopicAsync(seed, ledger),
            });
            if (i % 50 == 49)
            {
                // The kernel's queue of connections that wait to be accepted is bounded.
                for (var wait = 0; _wire.Count < i - 100 && wait < 200; wait++)
                    await Task.Delay(20);
            }
        }

        for (var wait = 0; _wire.Count < options.Connections * 0.99 && wait < 600; wait++)
            await Task.Delay(100);
        return tasks;
    }

    private async Task LoadAsync(List<Task> tasks)
    {
        var faults = new Faults(_wire, _tally, _http, _over.Token);
        var scale = Math.Max(1, options.Connections / 1000.0);
        var publishers = _ledgers.Select(ledger => PublishAsync(ledger, TimeSpan.FromSeconds(1))).ToList();
        tasks.Add(PublishHeavyAsync());
        for (var i = 0; i < 2; i++)
            tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(40), () => faults.ChurnAsync(_random)));
        tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(500 / scale), () => Task.Run(() => _wire.Harm(_random))));
        tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(300), () => faults.BreakRuleAsync(_random)));
        tasks.Add(faults.EveryAsync(TimeSpan.FromSeconds(2), () => faults.JumpAsync(_random)));
        tasks.Add(faults.EveryAsync(TimeSpan.FromSeconds(5), faults.CollectAsync));
        for (var i = 0; i < 8; i++)
        {
            var isEventStream = i % 2 == 0;
            tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(100), () => faults.ReadSlowlyAsync(isEventStream)));
        }

        var duration = TimeSpan.FromMinutes(options.Minutes);
        var part = duration / (options.Drains + 1);
        for (var drain = 0; drain <= options.Drains; drain++)
        {
            var peakAt = part * 0.9;
            await Task.Delay(peakAt);
            Figures.Held = Math.Max(Figures.Held, _wire.Count);
            Figures.Peak = await Child.StatsAsync(_http, _wire, "/stats");
            await Task.Delay(part - peakAt);
            if (drain < options.Drains)
                await DrainAsync();
        }

        await _published.CancelAsync();
        await Task.WhenAll(publishers);
    }

    private async Task DrainAsync()
    {
        _wire.IsAway = true;
        _wire.Generation++;
        var before = await Child.StatsAsync(_http, _wire, "/stats");
        Figures.Add(before);
        if (!await _server.TerminateAsync(TimeSpan.FromSeconds(45)))
            _tally.Fail(Kind.NotEnded, "the server did not end within 45 s of SIGTERM, or not with 0");
        await _server.DisposeAsync();
        await StartAsync(fill: !options.Redis);
        _wire.Generation++;
        _wire.IsAway = false;
        _tally.Add(Kind.Drain);
    }

    // One after the other: what was acknowledged before the next began has its place before it.
    private async Task PublishAsync(Ledger ledger, TimeSpan interval)
    {
        while (!_published.IsCancellationRequested)
        {
            await Task.Delay(interval);
            if (_wire.IsAway)
                continue;
            var number = ledger.Begin();
            try
            {
                using var content = new StringContent(Ledger.Text(number));
                using var answer = await _http.PostAsync(_wire.Uri($"/topics/{ledger.Topic}"), content);
                if (answer.StatusCode == System.Net.HttpStatusCode.Accepted)
                {
                    ledger.Acknowledge(number);
                    _tally.Add(Kind.Published);
                    continue;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                // Nobody knows whether it was stored: it may come, once.
            }

            _tally.Add(Kind.Unacknowledged);
        }
    }

    private async Task PublishHeavyAsync()
    {
        var faults = new Faults(_wire, _tally, _http, _over.Token);
        var payload = new byte[64 * 1024];
        await faults.EveryAsync(TimeSpan.FromMilliseconds(100), async () =>
        {
            using var content = new ByteArrayContent(payload);
            using var answer = await _http.PostAsync(_wire.Uri("/topics/heavy"), content, _over.Token);
        });
    }

    private async Task EndAsync(List<Task> tasks)
    {
        // Everybody gets the newest of its topic, those too that are just coming back.
        var deadline = Stopwatch.StartNew();
        while (_clients.All.Any(pair => !pair.Reader.HasAll(pair.Ledger.Begun)) && deadline.Elapsed < _patience)
            await Task.Delay(250);
        foreach (var (ledger, reader) in _clients.All)
            reader.CountMissing(ledger.Begun);

        await _over.CancelAsync();
        var ended = Task.WhenAll(tasks);
        if (await Task.WhenAny(ended, Task.Delay(_patience)) != ended)
            _tally.Fail(Kind.NotEnded, $"{tasks.Count(task => !task.IsCompleted)} of {tasks.Count} clients did not end");
        else if (ended.Exception is { } error)
            _tally.Fail(Kind.Unexpected, error.GetBaseException().ToString());

        deadline.Restart();
        ServerStats after;
        do
        {
            await Task.Delay(500);
            after = await Child.StatsAsync(_http, _wire, "/gc");
        }
        while ((after.Requests > 0 || after.Armed > 0 || after.Outstanding > 0) && deadline.Elapsed < _patience);
        // What the reliable subprotocol keeps for those who may come back goes with its window, and the host's own pools shrink slowly.
        while (after.Managed > Figures.Before.Managed + Bound && deadline.Elapsed < _patience + _patience)
        {
            await Task.Delay(TimeSpan.FromSeconds(2));
            after = await Child.StatsAsync(_http, _wire, "/gc");
        }

        Figures.After = after;
        Figures.Add(after);
        Garbage.Collect();
        Figures.ClientAfter = GC.GetTotalMemory(false);

        if (after.Requests > 0)
            _tally.Fail(Kind.NotEnded, $"{after.Requests} connections are open on the server after all clients have gone");
        if (after.Armed > 0)
            _tally.Fail(Kind.NotEnded, $"{after.Armed} timers are armed after all connections have ended");
        if (after.Outstanding > 0 || after.Rents != after.Returns + after.Abandoned)
            _tally.Fail(Kind.NotEnded, $"buffers: {after.Rents} rented, {after.Returns} returned, {after.Abandoned} left to the collector");
        foreach (var misuse in after.Misuse)
            _tally.Fail(Kind.Unexpected, misuse);
        if (after.Managed > Figures.Before.Managed + Bound)
            _tally.Fail(Kind.Unexpected, $"the server's heap went from {Figures.Before.Managed} to {after.Managed} bytes");
    }

    /// <summary>How much larger the server's heap may be afterwards: pools that keep what was used at the peak, and 1 KiB for each connection at once.</summary>
    public long Bound => (24 << 20) + options.Connections * 1024L;

    /// <summary>A stream whose socket can be harmed while it is open.</summary>
    private sealed class KeptStream(Wire wire, Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        private readonly Socket _socket = socket;

        protected override void Dispose(bool disposing)
        {
            wire.Forget(_socket);
            base.Dispose(disposing);
        }
    }
}
