using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Three matches that never end.</summary>
internal sealed class MatchDay(ITopicPublisher topics) : BackgroundService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Match> _matches = new()
    {
        ["sports/harbour-hill"] = new("sports/harbour-hill", "Harbour", "Hill", 0, 0, 0, 0, "Kick-off"),
        ["sports/mill-forest"] = new("sports/mill-forest", "Mill", "Forest", 0, 0, 0, 0, "Kick-off"),
        ["sports/river-castle"] = new("sports/river-castle", "River", "Castle", 0, 0, 0, 0, "Kick-off"),
    };

    private TopicCursor _cursor = TopicCursor.Empty;

    public static IReadOnlyList<string> Topics { get; } = ["sports/harbour-hill", "sports/mill-forest", "sports/river-castle"];

    /// <summary>The scores, and the cursor up to which they are told.</summary>
    public MatchTable Table()
    {
        lock (_lock)
            return new MatchTable(_cursor.Count == Topics.Count ? _cursor.ToString() : null, [.. _matches.Values]);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var topic in Topics)
            await PublishAsync(_matches[topic] with { Number = 1 }, stoppingToken);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await PublishAsync(_matches[Topics[Random.Shared.Next(Topics.Count)]].Next(), stoppingToken);
    }

    private async Task PublishAsync(Match match, CancellationToken cancellationToken)
    {
        var position = await topics.PublishAsync(match.Topic, match, ShowcaseJson.Default.Match, cancellationToken: cancellationToken);
        lock (_lock)
        {
            _matches[match.Topic] = match;
            _cursor = _cursor.With(match.Topic, position);
        }
    }
}

/// <summary>What a page begins with.</summary>
internal sealed record MatchTable(string? Cursor, IReadOnlyList<Match> Matches);

/// <summary>Where a match stands. Each change has the next number, so that a page sees for itself whether it has them all.</summary>
internal sealed record Match(string Topic, string Home, string Away, int HomeGoals, int AwayGoals, int Minute, int Number, string News)
{
    /// <summary>The match a minute later.</summary>
    public Match Next()
    {
        var next = Minute < 90
            ? this with { Minute = Minute + 1, Number = Number + 1, News = "" }
            : this with { HomeGoals = 0, AwayGoals = 0, Minute = 0, Number = Number + 1, News = "Kick-off" };
        return Random.Shared.Next(10) switch
        {
            0 => next with { HomeGoals = next.HomeGoals + 1, News = $"Goal for {Home}" },
            1 => next with { AwayGoals = next.AwayGoals + 1, News = $"Goal for {Away}" },
            2 => next with { News = $"Corner for {Home}" },
            3 => next with { News = $"Corner for {Away}" },
            _ => next,
        };
    }
}
