using System.Text.Json;
using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Reads the topics from their beginning, and keeps the league's table.</summary>
internal sealed class Reporter(League league, TopicHub topics) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before the first entry of each: what has left the history is a gap, and what is left of it is read.
        var newest = await topics.GetCursorAsync(League.Topics, stoppingToken);
        var oldest = newest.Aggregate(TopicCursor.Empty, (cursor, pair) => cursor.With(pair.Key, pair.Value with { Offset = 0 }));
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
