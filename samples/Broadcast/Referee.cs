using RealtimeKit.Topics;

namespace RealtimeKit.Samples.Broadcast;

/// <summary>Publishes what happens, match by match, to whoever is there.</summary>
internal sealed class Referee(TimeSpan interval, League league, ITopicPublisher topics) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // It goes on where the topics stop, also where another run of the program has left them.
        await league.IsKnown.WaitAsync(stoppingToken);
        var scores = League.Topics.ToDictionary(topic => topic, topic => league[topic]);
        Score? unsure = null;
        using var timer = new PeriodicTimer(interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var score = unsure ?? scores[League.Topics[Random.Shared.Next(League.Topics.Count)]].Next();
            try
            {
                // While Redis is away nobody knows whether it was stored: it is said again, and its number makes it count once.
                var options = new TopicPublishOptions { ProducerId = "referee", Sequence = (ulong)score.Number };
                await topics.PublishAsync(score.Topic, score, BroadcastJson.Default.Score, options, stoppingToken);
                scores[score.Topic] = score;
                unsure = null;
            }
            catch (TopicEngineException)
            {
                unsure = score;
            }
        }
    }
}
