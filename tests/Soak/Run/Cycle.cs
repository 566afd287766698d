using System.Diagnostics;
using System.Net.Sockets;

namespace RealtimeKit.Soak;

/// <summary>One set of clients: all come, are held under faults, and all go.</summary>
internal sealed class Cycle : IDisposable
{
    private readonly SoakOptions _options;
    private readonly Wire _wire;
    private readonly Tally _tally;
    private readonly HttpClient _http;
    private readonly IReadOnlyList<Ledger> _ledgers;
    private readonly Random _random;
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _published = new();
    private readonly HttpClient _streams;
    private readonly Clients _clients;
    private readonly List<Task> _tasks = [];
    private List<Task> _publishers = [];

    public Cycle(SoakOptions options, Wire wire, Tally tally, HttpClient http, IReadOnlyList<Ledger> ledgers, int seed)
    {
        (_options, _wire, _tally, _http, _ledgers, _random) = (options, wire, tally, http, ledgers, new Random(seed));
        _clients = new Clients(wire, tally, _over.Token);
        _streams = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancel) => new KeptStream(wire, await wire.ConnectAsync(cancel)) }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>All clients come. Every topic has those of each kind.</summary>
    public async Task OpenAsync()
    {
        var interval = TimeSpan.FromSeconds(Math.Max(1, _options.Connections / 500.0));
        for (var i = 0; i < _options.Connections; i++)
        {
            var ledger = _ledgers[i / 20 % _ledgers.Count];
            var seed = _options.Seed + i;
            _tasks.Add((i % 20) switch
            {
                < 6 => _clients.EchoAsync(seed, isCompressed: false, interval),
                < 10 => _clients.EchoAsync(seed, isCompressed: true, interval),
                < 15 => _clients.EventStreamAsync(_streams, ledger),
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

        for (var wait = 0; _wire.Count < _options.Connections * 0.99 && wait < 600; wait++)
            await Task.Delay(100);
    }

    /// <summary>Publications and faults begin.</summary>
    public void Load()
    {
        var faults = new Faults(_wire, _tally, _http, _over.Token);
        var scale = Math.Max(1, _options.Connections / 1000.0);
        _publishers = [.. _ledgers.Select(ledger => PublishAsync(ledger, TimeSpan.FromSeconds(1)))];
        _tasks.Add(PublishHeavyAsync(faults));
        for (var i = 0; i < 2; i++)
            _tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(40), () => faults.ChurnAsync(_random)));
        _tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(500 / scale), () => Task.Run(() => _wire.Harm(_random))));
        _tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(300), () => faults.BreakRuleAsync(_random)));
        _tasks.Add(faults.EveryAsync(TimeSpan.FromSeconds(2), () => faults.JumpAsync(_random)));
        _tasks.Add(faults.EveryAsync(TimeSpan.FromSeconds(5), faults.CollectAsync));
        for (var i = 0; i < 8; i++)
        {
            var isEventStream = i % 2 == 0;
            _tasks.Add(faults.EveryAsync(TimeSpan.FromMilliseconds(100), () => faults.ReadSlowlyAsync(isEventStream)));
        }
    }

    /// <summary>Publications end, everybody gets the newest of its topic, those too that are just coming back, and all clients go.</summary>
    public async Task EndAsync(TimeSpan patience)
    {
        await _published.CancelAsync();
        await Task.WhenAll(_publishers);
        var waited = Stopwatch.StartNew();
        while (_clients.All.Any(pair => !pair.Reader.HasAll(pair.Ledger.Begun)) && waited.Elapsed < patience)
            await Task.Delay(250);
        foreach (var (ledger, reader) in _clients.All)
            reader.CountMissing(ledger.Begun);

        await _over.CancelAsync();
        var ended = Task.WhenAll(_tasks);
        if (await Task.WhenAny(ended, Task.Delay(patience)) != ended)
            _tally.Fail(Kind.NotEnded, $"{_tasks.Count(task => !task.IsCompleted)} of {_tasks.Count} clients did not end");
        else if (ended.Exception is { } error)
            _tally.Fail(Kind.Unexpected, error.GetBaseException().ToString());
    }

    public void Dispose()
    {
        _streams.Dispose();
        _over.Dispose();
        _published.Dispose();
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

    private async Task PublishHeavyAsync(Faults faults)
    {
        var payload = new byte[64 * 1024];
        await faults.EveryAsync(TimeSpan.FromMilliseconds(100), async () =>
        {
            using var content = new ByteArrayContent(payload);
            using var answer = await _http.PostAsync(_wire.Uri("/topics/heavy"), content, _over.Token);
        });
    }

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
