using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RealtimeKit.Topics;
using StackExchange.Redis;

namespace RealtimeKit.Redis;

public sealed partial class RedisTopicEngine
{
    private const int MaxProducerLength = 64;
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask<TopicPosition> PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        TopicEngineNames.ThrowIfInvalid(publication.Topic);
        var topic = _cache.Get(publication.Topic);
        var metadata = EntryMetadata.Encode(publication, out var tag);
        // Whether it was stored is not known after a failure: what is tried again must be known to Redis.
        var token = publication.ProducerId is null && _options.PublishRetryTime > TimeSpan.Zero ? Guid.NewGuid().ToString("N") : null;
        var started = _metrics.Start();
        try
        {
            var begun = Stopwatch.GetTimestamp();
            var delay = FirstRetryDelay;
            while (true)
            {
                try
                {
                    var position = await PublishOnceAsync(topic, publication, metadata, tag, token, cancellationToken).ConfigureAwait(false);
                    _metrics.Published(started, failed: false);
                    return position;
                }
                catch (TopicEngineException exception) when (
                    RedisConnection.IsTransient(exception)
                    && Stopwatch.GetElapsedTime(begun) + delay < _options.PublishRetryTime)
                {
                    await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
                    delay = delay * 2 < LongestRetryDelay ? delay * 2 : LongestRetryDelay;
                }
            }
        }
        catch (TopicEngineException)
        {
            _metrics.Published(started, failed: true);
            throw;
        }
    }

    private async Task<TopicPosition> PublishOnceAsync(
        RedisTopic topic, TopicPublication publication, byte[] metadata, ulong tag, string? token, CancellationToken cancellationToken)
    {
        var arguments = new RedisValue[17];
        topic.WriteArguments(arguments);
        arguments[8] = metadata;
        arguments[9] = publication.Payload;
        arguments[10] = Math.Max(topic.Options.HistoryCount, 1);
        arguments[11] = _options.MaxNoticePayloadSize;
        arguments[12] = publication.ProducerId is { } producer ? Bounded(producer) : RedisValue.EmptyString;
        arguments[13] = publication.Sequence.ToString(CultureInfo.InvariantCulture);
        arguments[14] = (long)_options.ProducerLifetime.TotalMilliseconds;
        arguments[15] = _options.MaxProducersPerTopic;
        // Longer than it can be tried again: the last try may have waited for its answer in vain.
        arguments[16] = token is null ? 0 : (long)_options.PublishRetryTime.TotalMilliseconds + 60_000;
        var result = await _connection.EvaluateAsync(
            RedisScripts.Publish,
            [topic.Log, topic.State, topic.Producers, topic.ProducerTimes, token is null ? topic.State : _keys.Once(topic.Name, token)],
            arguments,
            cancellationToken).ConfigureAwait(false);
        var position = new TopicPosition((ulong)result[0], (ulong)result[1]);
        if ((int)result[2] == 0)
            topic.See(position, tag, publication.Payload.Length + 256);
        return position;
    }

    // A producer's id may be a client's choice, and is held for long: a long one is held as its hash.
    private static RedisValue Bounded(string producer) => Encoding.UTF8.GetByteCount(producer) is > 0 and <= MaxProducerLength
        ? "=" + producer
        : "#" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(producer)));
}
