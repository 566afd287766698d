using System.Text.Json.Serialization;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Where a match stands. Each change has the next number, so that a page sees for itself whether it has them all.</summary>
internal sealed record Score(string Topic, string Home, string Away, int HomeGoals, int AwayGoals, int Minute, int Number, string News);

internal sealed record Snapshot(string Cursor, IReadOnlyList<Score> Scores);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(Score))]
internal sealed partial class BroadcastJson : JsonSerializerContext;

/// <summary>Three matches that never end.</summary>
internal sealed class League(TimeSpan interval)
{
    private readonly Lock _lock = new();
    private readonly Score[] _scores =
    [
        new("scores/harbour-hill", "Harbour", "Hill", 0, 0, 0, 0, "Kick-off"),
        new("scores/mill-forest", "Mill", "Forest", 0, 0, 0, 0, "Kick-off"),
        new("scores/river-castle", "River", "Castle", 0, 0, 0, 0, "Kick-off"),
    ];

    public TimeSpan Interval => interval;

    public IReadOnlyList<string> Topics { get; } = ["scores/harbour-hill", "scores/mill-forest", "scores/river-castle"];

    public IReadOnlyList<Score> Scores
    {
        get
        {
            lock (_lock)
                return [.. _scores];
        }
    }

    /// <summary>Lets a minute of some match pass.</summary>
    public Score Play()
    {
        lock (_lock)
        {
            var index = Random.Shared.Next(_scores.Length);
            var score = _scores[index];
            score = score.Minute < 90
                ? score with { Minute = score.Minute + 1, Number = score.Number + 1, News = "" }
                : score with { HomeGoals = 0, AwayGoals = 0, Minute = 0, Number = score.Number + 1, News = "Kick-off" };
            score = Random.Shared.Next(12) switch
            {
                0 => score with { HomeGoals = score.HomeGoals + 1, News = $"Goal for {score.Home}" },
                1 => score with { AwayGoals = score.AwayGoals + 1, News = $"Goal for {score.Away}" },
                2 => score with { News = $"Corner for {score.Away}" },
                _ => score,
            };
            return _scores[index] = score;
        }
    }
}
