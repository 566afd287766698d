using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

/// <summary>One random history: its topics, its publisher, and the record of what its client was told.</summary>
internal abstract class TopicHistory
{
    // Wait twice, keep, skip to the newest, conflate, disconnect: short, so that the cursor of three topics is a Close frame's reason.
    private static readonly string[] Policies = ["w", "w", "k", "s", "c", "d"];
    private static readonly int[] Sizes = [10, 300, 3000];

    private readonly Dictionary<string, long> _published = [];
    private readonly Dictionary<string, ulong> _last = [];
    private readonly CancellationTokenSource _enough = CancellationTokenSource.CreateLinkedTokenSource(Until.Cancelled);
    private readonly int _size;
    private long _total;

    protected TopicHistory(TestServerHost server, int seed)
    {
        Server = server;
        Random = new Random(seed);
        _size = Sizes[Random.Next(Sizes.Length)];
        var policy = Policies[Random.Next(Policies.Length)];
        All = [.. Enumerable.Range(0, Random.Next(1, 4)).Select(i => $"{policy}/{seed}/{(char)('a' + i)}")];
        foreach (var topic in All)
            _published[topic] = 0;
    }

    protected TestServerHost Server { get; }

    protected Random Random { get; }

    protected HistoryOutcome Outcome { get; } = new();

    protected string[] All { get; }

    protected bool IsOver => _enough.IsCancellationRequested;

    public async Task<HistoryOutcome> RunAsync()
    {
        var random = new Random(Random.Next());   // the publisher's own: no generator serves two threads
        var publisher = Task.Run(() => PublishAsync(random));
        try
        {
            await BeginAsync();
            for (var connections = Random.Next(3, 9); connections > 0; connections--)
            {
                await ConnectAsync(isLast: false);
                if (Random.Next(3) == 0)
                    await WaitForPublicationsAsync(Random.Next(100));
            }
        }
        finally
        {
            await _enough.CancelAsync();
            await publisher;
        }

        // Nothing more comes: at the end it has everything.
        while (!HasAll())
            await ConnectAsync(isLast: true);
        foreach (var (topic, last) in _last)
            last.Should().Be((ulong)_published[topic], topic);
        return Outcome;
    }

    protected abstract Task BeginAsync();

    /// <summary>Connects, reads for a while, or to the end, and loses the connection.</summary>
    protected abstract Task ConnectAsync(bool isLast);

    protected bool HasAll() => _last.All(pair => pair.Value == (ulong)_published[pair.Key]);

    protected void Begin(string topic, TopicPosition position) => _last.Add(topic, position.Offset);

    protected ulong LastOf(string topic) => _last[topic];

    protected void SeeEntry(string topic, string payload)
    {
        var number = ulong.Parse(payload.AsSpan(0, payload.IndexOf('|', StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture);
        if (number != _last[topic] + 1)
            throw new InvalidOperationException($"{topic}: {number} after {_last[topic]}");
        _last[topic] = number;
        Outcome.Entries++;
    }

    protected void SeeGap(string topic, ulong from, ulong to)
    {
        if (from != _last[topic] || to < from || to > (ulong)_published[topic])
            throw new InvalidOperationException($"{topic}: gap from {from} to {to} after {_last[topic]}");
        _last[topic] = to;
        Outcome.Gaps++;
        Outcome.Skipped += (long)(to - from);
    }

    /// <summary>Stays away, or does not read, while so many more are published.</summary>
    protected async Task WaitForPublicationsAsync(int count)
    {
        var until = Volatile.Read(ref _total) + count;
        while (Volatile.Read(ref _total) < until && !IsOver)
            await Task.Delay(1, Until.Cancelled);
    }

    /// <summary>A handler whose sockets hold little unread.</summary>
    protected static SocketsHttpHandler NewHandler() => new()
    {
        ConnectCallback = static async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private async Task PublishAsync(Random random)
    {
        var hub = Server.Hub();
        while (!IsOver)
        {
            for (var burst = random.Next(1, 30); burst > 0; burst--)
            {
                var topic = All[random.Next(All.Length)];
                var number = ++_published[topic];
                var payload = Encoding.UTF8.GetBytes($"{number}|{topic}|{new string('x', _size)}");
                var position = await hub.PublishAsync(topic, payload, new TopicPublishOptions { Key = $"{number % 3}" });
                position.Offset.Should().Be((ulong)number);
                Interlocked.Increment(ref _total);
            }

            await Task.Delay(random.Next(3), CancellationToken.None);
        }
    }
}
