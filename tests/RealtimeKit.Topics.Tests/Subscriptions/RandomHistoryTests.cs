namespace RealtimeKit.Topics.Tests;

public class RandomHistoryTests(ITestOutputHelper output)
{
    /// <summary>
    /// What a client saw plus the gaps it was told of is what was published, in order, over every transport; one history in twenty runs over real sockets. 200 histories; as many as
    /// REALTIMEKIT_HISTORIES says, from the seed REALTIMEKIT_SEED on, where they are set.
    /// </summary>
    [Fact]
    public async Task RandomHistories_WhatWasSeenAndTheGaps_AreWhatWasPublished()
    {
        var count = Read("REALTIMEKIT_HISTORIES") ?? 200;
        var first = Read("REALTIMEKIT_SEED") ?? Random.Shared.Next(1_000_000_000);
        output.WriteLine($"seeds {first} to {first + count - 1}");
        long seen = 0, gaps = 0, sessions = 0;
        await Parallel.ForEachAsync(Enumerable.Range(first, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (seed, _) =>
        {
            var history = new RandomHistory(seed);
            try
            {
                await history.RunAsync();
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"The history with REALTIMEKIT_SEED={seed} failed: {error.Message}", error);
            }

            Interlocked.Add(ref seen, history.Seen);
            Interlocked.Add(ref gaps, history.Gaps);
            Interlocked.Add(ref sessions, history.Sessions);
        });

        output.WriteLine($"{seen} entries seen, {gaps} gaps told, {sessions} sessions");
        seen.Should().BePositive();
        gaps.Should().BePositive("histories without a gap would test half of it");
        sessions.Should().BeGreaterThan(count);
    }

    private static int? Read(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var value) ? value : null;
}
