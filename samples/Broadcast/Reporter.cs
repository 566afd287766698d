using System.Text.Json;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Reads the topics from their beginning, and keeps the league's table.</summary>
internal sealed class Reporter(League league, TopicHub topics) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What is left of the history is read first.
        var newest = await topics.GetCursorAsync(League.Topics, stoppingToken);
        var oldest = await topics.GetOldestCursorAsync(League.Topics, stoppingToken);
        foreach (var (topic, position) in oldest)
            league.Read(topic, position, null);
        if (league.HasRead(newest))
            league.SetKnown();
        await foreach (var item in topics.ReadAllAsync(League.Topics, oldest, cancellationToken: stoppingToken))
        {
            var score = item.Kind == TopicItemKind.Entry ? JsonSerializer.Deserialize(item.Entry.Payload.Span, BroadcastJson.Default.Score) : null;
            league.Read(item.Topic, item.Position, score);
            if (!league.IsKnown.IsCompleted && league.HasRead(newest))
                league.SetKnown();
        }
    }
}
