using System.Globalization;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests.Faults;

/// <summary>
/// Nodes, publishers that never stop, clients that come and go between the nodes with nothing but their cursors, and a Redis to which
/// anything happens: each client's record is complete or names its gaps.
/// </summary>
public sealed class RandomFaultTests(ITestOutputHelper output)
{
    private static readonly string[] Topics = ["scores", "news/{1}"];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>One history; as many as REALTIMEKIT_REDIS_HISTORIES says, from the seed REALTIMEKIT_SEED on, where they are set.</summary>
    [Fact]
    public async Task RandomFaults_WhatWasSeenAndTheGaps_AreWhatWasAcknowledged()
    {
        var count = Read("REALTIMEKIT_REDIS_HISTORIES") ?? 1;
        var first = Read("REALTIMEKIT_SEED") ?? Random.Shared.Next(1_000_000_000);
        for (var seed = first; seed < first + count; seed++)
        {
            output.WriteLine($"REALTIMEKIT_SEED={seed}");
            await RunAsync(seed);
        }
    }

    private async Task RunAsync(int seed)
    {
        var random = new Random(seed);
        await using var server = await RedisServer.StartAsync();
        var hubs = Enumerable.Range(0, random.Next(2, 4)).Select(_ => CreateHub(server, random)).ToArray();
        var publishers = hubs
            .SelectMany((hub, i) => Topics.Select(topic => (Topic: topic, Publisher: new Publisher((RedisTopicEngine)hub.Engine, topic, $"p{i}"))))
            .ToArray();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var start = await hubs[0].GetCursorAsync(Topics, Token);
        var clients = Enumerable.Range(0, 6).Select(i => new Client(hubs, start, new Random(seed + i + 1))).ToArray();
        var reading = clients.Select(client => Task.Run(() => client.RunAsync(stopping.Token))).ToArray();

        for (var i = 0; i < 8; i++)
        {
            await Task.WhenAll(publishers.Select(pair => pair.Publisher.MoreAsync(random.Next(5, 60))));
            await FaultAsync(server, random);
        }

        foreach (var (_, publisher) in publishers)
        {
            await publisher.MoreAsync(5);
            await publisher.DisposeAsync();
        }

        foreach (var topic in Topics)
        {
            var end = await hubs[0].PublishAsync(topic, "end", cancellationToken: Token);
            var acknowledged = publishers.Where(pair => pair.Topic == topic).SelectMany(static pair => pair.Publisher.Acknowledged).ToArray();
            foreach (var client in clients)
            {
                await Eventually.TrueAsync(() => client.Records[topic].Position >= end, $"client of {topic} at {client.Records[topic].Position} is to come to {end}");
                client.Records[topic].ShouldBeHonest(acknowledged);
            }

            output.WriteLine($"  {topic}: {acknowledged.Length} acknowledged, {clients.Sum(client => client.Records[topic].Entries.Count)} delivered, {clients.Sum(client => client.Records[topic].Gaps.Count)} gaps");
        }

        await stopping.CancelAsync();
        await Task.WhenAll(reading);
        output.WriteLine($"  {hubs.Length} nodes, {clients.Sum(static client => client.Sessions)} sessions, {publishers.Sum(static pair => pair.Publisher.Failures)} failed publications");
        foreach (var hub in hubs)
            await hub.DisposeAsync();
    }

    private async Task FaultAsync(RedisServer server, Random random)
    {
        var fault = random.Next(7);
        output.WriteLine($"  fault {fault}");
        switch (fault)
        {
            case 0:
                await server.ExecuteAsync("CLIENT KILL TYPE pubsub");
                break;
            case 1:
                await server.ExecuteAsync("CLIENT KILL TYPE normal");
                break;
            case 2:
                await server.KillAsync();
                await Task.Delay(random.Next(300), Token);
                await server.StartProcessAsync();
                break;
            case 3:
                await server.PauseAsync();
                await Task.Delay(random.Next(3500), Token);
                await server.ContinueAsync();
                break;
            case 4:
                await server.ExecuteAsync("FLUSHALL");
                break;
            case 5:
                await server.ExecuteAsync($"XTRIM test:{{{Topics[0]}}}:log MAXLEN = {random.Next(5)}");
                break;
            default:
                var copy = server.CopyData();
                await Task.Delay(random.Next(300), Token);
                await server.KillAsync();
                server.RestoreData(copy);
                Directory.Delete(copy, recursive: true);
                await server.StartProcessAsync();
                break;
        }
    }

    private static TopicHub CreateHub(RedisServer server, Random random)
    {
        var topics = new TopicsOptions { BatchCount = random.Next(1, 50) };
        topics.Default.HistoryCount = random.Next(20, 400);
        topics.Default.HistoryBytes = random.Next(20_000, 200_000);
        var options = new RedisTopicOptions
        {
            Configuration = RedisTopicOptions.CreateConfiguration(server.ImpatientConnectionString),
            KeyPrefix = "test",
            SweepInterval = TimeSpan.FromMilliseconds(random.Next(200, 2000)),
            MaxNoticePayloadSize = random.Next(2) * 8192,
        };
        return new TopicHub(new RedisTopicEngine(options, topics), topics);
    }

    private static int? Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private sealed class Client
    {
        private readonly TopicHub[] _hubs;
        private readonly Random _random;

        public Client(TopicHub[] hubs, TopicCursor start, Random random)
        {
            _hubs = hubs;
            _random = random;
            Records = start.ToDictionary(static pair => pair.Key, static pair => new TopicRecord(pair.Value));
        }

        public Dictionary<string, TopicRecord> Records { get; }

        public int Sessions { get; private set; }

        public async Task RunAsync(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                Sessions++;
                try
                {
                    await ReadAsync(_hubs[_random.Next(_hubs.Length)], _random.Next(1, 300), stop);
                }
                catch (TopicEngineException)
                {
                    await Task.Delay(20, CancellationToken.None);   // the endpoint would say 503, and the client come again
                }
                catch (OperationCanceledException)
                {
                }
            }
        }

        private async Task ReadAsync(TopicHub hub, int count, CancellationToken stop)
        {
            var cursor = Records.Aggregate(TopicCursor.Empty, static (cursor, pair) => cursor.With(pair.Key, pair.Value.Position));
            await foreach (var item in hub.ReadAllAsync(Topics, cursor, cancellationToken: stop))
            {
                if (item.Kind == TopicItemKind.Gap)
                    Records[item.Topic].Add(item.Gap);
                else if (item.Kind == TopicItemKind.Entry)
                    Records[item.Topic].Add(item.Entry);
                if (--count == 0)
                    return;
                if (_random.Next(50) == 0)
                    await Task.Delay(_random.Next(30), stop);
            }
        }
    }
}
