using System.Globalization;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

/// <summary>
/// Random histories over real sockets: a publisher that never stops, and a client that loses its connection, reads slowly, stays away for
/// longer than the history lasts, and adds topics. What it saw and the gaps that it was told are what was published, in order, each once.
/// REALTIMEKIT_TOPIC_HISTORIES says how many; a failure names its seed, REALTIMEKIT_TOPIC_SEED runs it alone.
/// </summary>
public class TopicHistoryCases
{
    private const int Bound = 30 * 60_000;

    private static int Count => int.Parse(Environment.GetEnvironmentVariable("REALTIMEKIT_TOPIC_HISTORIES") ?? "40", CultureInfo.InvariantCulture);

    [Fact(Timeout = Bound)]
    public Task EventStream_RandomHistories_AreCompleteOrNameTheirGaps() =>
        RunAsync((server, seed) => new EventStreamHistory(server, seed).RunAsync());

    [Fact(Timeout = Bound)]
    public Task WebSocket_RandomHistories_AreCompleteOrNameTheirGaps() =>
        RunAsync((server, seed) => new WebSocketHistory(server, seed).RunAsync());

    private static async Task RunAsync(Func<TestServerHost, int, Task<HistoryOutcome>> run)
    {
        await using var server = await StartAsync();
        var one = Environment.GetEnvironmentVariable("REALTIMEKIT_TOPIC_SEED");
        var first = one is null ? Random.Shared.Next(1_000_000_000) : int.Parse(one, CultureInfo.InvariantCulture);
        var seeds = Enumerable.Range(first, one is null ? Count : 1);
        var total = new HistoryOutcome();
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Until.Cancelled }, async (seed, _) =>
        {
            try
            {
                var outcome = await run(server, seed);
                lock (total)
                    total.Add(outcome);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Seed {seed}: {error.Message}", error);
            }
        });
        TestContext.Current.SendDiagnosticMessage($"{total} in {seeds.Count()} histories from seed {first}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{total} in {seeds.Count()} histories from seed {first}");
        if (one is not null)
            return;
        total.Entries.Should().BePositive();
        total.Gaps.Should().BePositive("histories shall be so short that some are outrun");
        total.Connections.Should().BeGreaterThan(Count, "connections shall be lost");
    }

    // Buffers are small, so that a client that does not read is felt.
    private static Task<TestServerHost> StartAsync() => TopicsServer.StartNarrowAsync(
        topics =>
        {
            topics.BatchCount = 16;
            topics.BatchBytes = 8 * 1024;
            topics.Default.HistoryCount = 24;
            topics.Topic("s/**", topic =>
            {
                topic.SlowConsumers = SlowConsumerPolicy.SkipToNewest;
                topic.MaxLag = 8;
            });
            topics.Topic("c/**", topic =>
            {
                topic.SlowConsumers = SlowConsumerPolicy.Conflate;
                topic.MaxLag = 4;
            });
            topics.Topic("d/**", topic =>
            {
                topic.SlowConsumers = SlowConsumerPolicy.Disconnect;
                topic.MaxLag = 8;
            });
            topics.Topic("k/**", topic => topic.HistoryCount = 10_000);
        },
        options => options.WebSockets.Connection.SendBufferSize = 8 * 1024);
}
