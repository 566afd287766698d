using System.Text.Json.Serialization;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Where a match stands. Each change has the next number, so that a page sees for itself whether it has them all.</summary>
internal sealed record Score(string Topic, string Home, string Away, int HomeGoals, int AwayGoals, int Minute, int Number, string News)
{
    /// <summary>The match a minute later.</summary>
    public Score Next()
    {
        var next = Minute < 90
            ? this with { Minute = Minute + 1, Number = Number + 1, News = "" }
            : this with { HomeGoals = 0, AwayGoals = 0, Minute = 0, Number = Number + 1, News = "Kick-off" };
        return Random.Shared.Next(12) switch
        {
            0 => next with { HomeGoals = next.HomeGoals + 1, News = $"Goal for {Home}" },
            1 => next with { AwayGoals = next.AwayGoals + 1, News = $"Goal for {Away}" },
            2 => next with { News = $"Corner for {Away}" },
            _ => next,
        };
    }
}

/// <summary>What a page is rendered with.</summary>
internal sealed record Snapshot(string Cursor, IReadOnlyList<Score> Scores);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(Score))]
internal sealed partial class BroadcastJson : JsonSerializerContext;
