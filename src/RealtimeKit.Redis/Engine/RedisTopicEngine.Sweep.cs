using Microsoft.Extensions.Logging;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis;

public sealed partial class RedisTopicEngine
{
    private const int SweepsAtATime = 32;

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.SweepInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var chunk in Feeds().Chunk(SweepsAtATime))
                    await Task.WhenAll(chunk.Select(feed => SweepAsync(feed, cancellationToken))).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    // Looks only at the position: that of a topic where nothing happened costs one small script, which also keeps it from expiring.
    private async Task SweepAsync(RedisTopicFeed feed, CancellationToken cancellationToken)
    {
        if (feed.Log is not { } log)
            return;
        log.Trim();
        try
        {
            var (newest, _) = await GetPositionAsync(feed.Topic, distrusted: null, cancellationToken).ConfigureAwait(false);
            if (newest != log.Position)
                feed.CatchUp();
        }
        catch (TopicEngineException)
        {
            // Away: when it is back, all topics are compared.
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One topic must not keep the others from it.
            SweepLog.Failed(_logger, feed.Topic.Name, exception);
        }
    }

    private async Task OnRestoredAsync()
    {
        try
        {
            // Subscriptions have been asked for again on this connection; the answer to a ping comes after theirs. Only then is nothing lost.
            var subscriber = await _connection.GetSubscriberAsync(_stopping.Token).ConfigureAwait(false);
            await subscriber.PingAsync().WaitAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (RedisConnection.IsRedis(exception) || exception is TopicEngineException or OperationCanceledException)
        {
            // Lost again. Reading does no harm, and the sweep follows.
        }

        foreach (var feed in Feeds())
        {
            feed.Doubt();
            feed.CatchUp();
        }
    }

    private static partial class SweepLog
    {
        [LoggerMessage(RealtimeEventIds.RedisSweepFailed, LogLevel.Error, "The topic {Topic} could not be compared with Redis.", EventName = nameof(RealtimeEventIds.RedisSweepFailed))]
        public static partial void Failed(ILogger logger, string topic, Exception exception);
    }

    // From here on, as notices may come from another server as soon as there is a connection, before anybody says so.
    private void DoubtAll()
    {
        foreach (var feed in Feeds())
            feed.Doubt();
    }

    private void OnRestored()
    {
        DoubtAll();
        _ = Task.Run(OnRestoredAsync);
    }

    private RedisTopicFeed[] Feeds()
    {
        lock (_feeds)
            return [.. _feeds.Values];
    }
}
