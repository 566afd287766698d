using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Publishes what happens, match by match, to whoever is there.</summary>
internal sealed class Referee(League league, ITopicPublisher topics) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(league.Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var score = league.Play();
            await topics.PublishAsync(score.Topic, score, BroadcastJson.Default.Score, cancellationToken: stoppingToken);
        }
    }
}
